#include "io/sd_notify.hpp"

#include "support/temp_dir.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sharedrift {
namespace {

/// Stands where systemd's notify socket does.
class FakeSystemd {
 public:
  FakeSystemd() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = dir_.file("notify");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_, generic, sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
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

TEST(SystemdNotifier, IsHarmlessWhereNobodyListens) {
  ::unsetenv("NOTIFY_SOCKET");
  SystemdNotifier::ready("x");
  SystemdNotifier::reloading();
  SystemdNotifier::watchdog();
  SystemdNotifier::stopping();
  ::setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
  SystemdNotifier::status("x");
  ::unsetenv("NOTIFY_SOCKET");
}

TEST(SystemdNotifier, WatchdogIsForTheProcessItNames) {
  ::unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(SystemdNotifier::watchdog_interval(), std::nullopt);
  ::setenv("WATCHDOG_USEC", "60000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(SystemdNotifier::watchdog_interval(), Millis{60'000});
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(SystemdNotifier::watchdog_interval(), std::nullopt);
  ::unsetenv("WATCHDOG_USEC");
  ::unsetenv("WATCHDOG_PID");
}

/// 0: handed over as descriptor 3; 1: refused; 2: something else. In a process of its own, since systemd's
/// descriptors begin at 3.
[[noreturn]] void take_socket(int kind, bool listens) {
  const int fd = ::socket(AF_UNIX, kind, 0);
  if (listens) {
    const sockaddr_un unnamed{AF_UNIX, {}};
    const auto* generic = reinterpret_cast<const sockaddr*>(&unnamed);
    ::bind(fd, generic, sizeof unnamed.sun_family);  // the kernel chooses a name
    ::listen(fd, 1);
  }
  if (fd != 3) ::dup2(fd, 3);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "1", 1);
  const auto sockets = SystemdNotifier::listening_sockets();
  if (!sockets) ::_exit(1);
  ::_exit(*sockets == std::vector<int>{3} ? 0 : 2);
}

TEST(SystemdNotifier, TakesListeningStreamSocketsOnly) {
  EXPECT_EXIT(take_socket(SOCK_STREAM, true), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(take_socket(SOCK_STREAM, false), ::testing::ExitedWithCode(1), "");
  EXPECT_EXIT(take_socket(SOCK_DGRAM, false), ::testing::ExitedWithCode(1), "");
  ::unsetenv("LISTEN_FDS");
  EXPECT_FALSE(SystemdNotifier::listening_sockets());
}

}  // namespace
}  // namespace sharedrift
