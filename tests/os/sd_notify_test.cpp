#include "os/sd_notify.hpp"

#include "support/temp_dir.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace sharedrift {
namespace {

/// Stands where systemd's notify socket does.
class FakeSystemd {
 public:
  /// Listens on a path; or, as in a container, on a name that is in no file system.
  explicit FakeSystemd(bool abstract = false) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const std::string name = (abstract ? "@" : "") + dir_.file("notify");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.c_str(), name.size());
    if (abstract) address.sun_path[0] = '\0';
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(fd_, generic, size), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  FakeSystemd(const FakeSystemd&) = delete;
  FakeSystemd& operator=(const FakeSystemd&) = delete;
  ~FakeSystemd() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(fd_);
  }
  /// The next message; empty when there is none.
  [[nodiscard]] std::string next() const {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "";
  }

 private:
  testing::TempDir dir_;
  int fd_;
};

std::int64_t monotonic_micros() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

TEST(SystemdNotifier, SaysEachStateInSystemdsWords) {
  const FakeSystemd systemd;
  SystemdNotifier::ready("12 images");
  EXPECT_EQ(systemd.next(), "READY=1\nSTATUS=12 images");
  SystemdNotifier::status("all\nWATCHDOG=trigger");
  EXPECT_EQ(systemd.next(), "STATUS=all WATCHDOG=trigger")
      << "a line break would be an assignment of its own";
  SystemdNotifier::watchdog();
  EXPECT_EQ(systemd.next(), "WATCHDOG=1");
  SystemdNotifier::stopping();
  EXPECT_EQ(systemd.next(), "STOPPING=1\nSTATUS=stopping");
  EXPECT_EQ(systemd.next(), "");
}

TEST(SystemdNotifier, DatesAReloadOnTheClockThatSystemdCompares) {
  const FakeSystemd systemd;
  const std::int64_t before = monotonic_micros();
  SystemdNotifier::reloading();
  const std::int64_t after = monotonic_micros();
  const std::string message = systemd.next();
  const std::string head = "RELOADING=1\nMONOTONIC_USEC=";
  ASSERT_EQ(message.substr(0, head.size()), head);
  const std::int64_t said = std::stoll(message.substr(head.size()));
  EXPECT_GE(said, before);
  EXPECT_LE(said, after);
}

TEST(SystemdNotifier, ReachesWhateverAddressLibsystemdReaches) {
  for (const bool abstract : {false, true}) {
    const FakeSystemd systemd(abstract);
    EXPECT_GT(sd_notify(0, "WATCHDOG=1"), 0);
    SystemdNotifier::watchdog();
    EXPECT_EQ(systemd.next(), "WATCHDOG=1") << "libsystemd, " << abstract;
    EXPECT_EQ(systemd.next(), "WATCHDOG=1") << "ours, " << abstract;
  }
}

/// Sets it, or unsets it for null.
void set_variable(const char* name, const char* value) {
  if (value == nullptr) {
    ::unsetenv(name);
  } else {
    ::setenv(name, value, 1);
  }
}

/// What the next open() would get: higher by each descriptor that was left open.
int next_descriptor() {
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(fd);
  return fd;
}

TEST(SystemdNotifier, IsHarmlessWhereNobodyListens) {
  const FakeSystemd systemd;
  const int before = next_descriptor();
  const std::string too_long = "/" + std::string(200, 'x');
  for (const char* address :
       {static_cast<const char*>(nullptr), "/nonexistent/notify", "@", "", "relative", too_long.c_str()}) {
    set_variable("NOTIFY_SOCKET", address);
    SystemdNotifier::ready("x");
    SystemdNotifier::reloading();
    SystemdNotifier::status("x");
    SystemdNotifier::watchdog();
    SystemdNotifier::stopping();
    EXPECT_EQ(next_descriptor(), before)
        << "a descriptor stays open: " << (address == nullptr ? "unset" : address);
  }
  EXPECT_EQ(systemd.next(), "") << "told although its address was not given";
}

TEST(SystemdNotifier, WatchdogIsForTheProcessItNames) {
  const std::string ours = std::to_string(::getpid());
  for (const char* micros :
       {static_cast<const char*>(nullptr), "60000000", "1", "0", "", "-1", "soon", "60000000s"}) {
    for (const char* process : {static_cast<const char*>(nullptr), ours.c_str(), "1", "", "0", "nobody"}) {
      set_variable("WATCHDOG_USEC", micros);
      set_variable("WATCHDOG_PID", process);
      std::uint64_t wanted = 0;
      const bool enabled = sd_watchdog_enabled(0, &wanted) > 0;
      const auto interval = SystemdNotifier::watchdog_interval();
      const std::string told = std::string{micros ? micros : "none"} + " for " + (process ? process : "none");
      ASSERT_EQ(interval.has_value(), enabled) << told;
      if (!enabled) continue;
      EXPECT_EQ(*interval, Millis{static_cast<Millis::rep>(wanted / 1000)}) << told;
    }
  }
  ::setenv("WATCHDOG_USEC", "60000000", 1);
  ::unsetenv("WATCHDOG_PID");
  EXPECT_EQ(SystemdNotifier::watchdog_interval(), Millis{60'000});
  ::unsetenv("WATCHDOG_USEC");
}

/// 0: handed over as descriptor 3; 1: refused; 2: something else. In a process of its own, since systemd's
/// descriptors begin at 3.
[[noreturn]] void take_socket(int kind, bool listens, pid_t process = ::getpid()) {
  const int fd = ::socket(AF_UNIX, kind, 0);
  if (listens) {
    const sockaddr_un unnamed{AF_UNIX, {}};
    const auto* generic = reinterpret_cast<const sockaddr*>(&unnamed);
    ::bind(fd, generic, sizeof unnamed.sun_family);  // the kernel chooses a name
    ::listen(fd, 1);
  }
  if (fd != 3) ::dup2(fd, 3);
  ::setenv("LISTEN_PID", std::to_string(process).c_str(), 1);
  ::setenv("LISTEN_FDS", "1", 1);
  const auto sockets = SystemdNotifier::listening_sockets();
  if (!sockets) ::_exit(1);
  const bool stays_here = (::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 && ::getenv("LISTEN_FDS") == nullptr;
  ::_exit(*sockets == std::vector<int>{3} && stays_here ? 0 : 2);
}

TEST(SystemdNotifier, TakesListeningStreamSocketsOnly) {
  EXPECT_EXIT(take_socket(SOCK_STREAM, true), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(take_socket(SOCK_STREAM, true, 1), ::testing::ExitedWithCode(1), "") << "meant for another";
  EXPECT_EXIT(take_socket(SOCK_STREAM, false), ::testing::ExitedWithCode(1), "");
  EXPECT_EXIT(take_socket(SOCK_DGRAM, false), ::testing::ExitedWithCode(1), "");
  EXPECT_FALSE(SystemdNotifier::listening_sockets());
}

TEST(SystemdNotifier, TakesNoSocketsThatAreNotForItAsLibsystemdDoesNot) {
  const std::string ours = std::to_string(::getpid());
  const auto refused = [](const char* process, const char* count) {
    set_variable("LISTEN_PID", process);
    set_variable("LISTEN_FDS", count);
    EXPECT_LE(sd_listen_fds(0), 0);
    EXPECT_FALSE(SystemdNotifier::listening_sockets());
  };
  for (const char* process : {static_cast<const char*>(nullptr), "1", "", "nobody"})
    refused(process, "1");
  for (const char* count : {static_cast<const char*>(nullptr), "0", "-1", "", "many", "2147483647"})
    refused(ours.c_str(), count);
}

}  // namespace
}  // namespace sharedrift
