#include "os/sd_notify.hpp"

#include "core/number.hpp"
#include "os/descriptor.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// The protocols of sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3), which systemd promises to keep
// for programs that speak them without libsystemd: it would bring six libraries into the process for one
// datagram.

namespace sharedrift {

namespace {

constexpr int kFirstListenFd = 3;

/// The address in NOTIFY_SOCKET: a path, or `@` and an abstract name. None: nobody listens.
struct NotifyAddress {
  sockaddr_un address{};
  socklen_t length = 0;
};
std::optional<NotifyAddress> notify_address() {
  const char* text = std::getenv("NOTIFY_SOCKET");
  if (text == nullptr) return std::nullopt;
  const std::string_view name = text;
  NotifyAddress to;
  to.address.sun_family = AF_UNIX;
  if (name.size() < 2 || name.size() >= sizeof to.address.sun_path) return std::nullopt;
  if (name.front() != '/' && name.front() != '@') return std::nullopt;
  std::copy(name.begin(), name.end(), to.address.sun_path);
  if (name.front() == '@') to.address.sun_path[0] = '\0';
  to.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  return to;
}

void notify(const std::string& state) {
  const auto to = notify_address();
  if (!to) return;
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&to->address), to->length);
}

/// One line: a line break would be another assignment.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// The whole number in a variable; none: it is not set, or is something else.
template <class Number>
std::optional<Number> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? std::nullopt : parse_number<Number>(text);
}

bool is_listening_stream(int fd) {
  int type = 0;
  int listens = 0;
  socklen_t size = sizeof(int);
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
         ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
}

}  // namespace

void SystemdNotifier::ready(const std::string& status) {
  notify("READY=1\nSTATUS=" + one_line(status));
}

void SystemdNotifier::reloading() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();  // CLOCK_MONOTONIC
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now / std::chrono::microseconds{1}));
}

void SystemdNotifier::stopping() {
  notify("STOPPING=1\nSTATUS=stopping");
}
void SystemdNotifier::status(const std::string& text) {
  notify("STATUS=" + one_line(text));
}
void SystemdNotifier::watchdog() {
  notify("WATCHDOG=1");
}

std::optional<Millis> SystemdNotifier::watchdog_interval() {
  const auto micros = number_in<std::uint64_t>("WATCHDOG_USEC");
  const bool ours = std::getenv("WATCHDOG_PID") == nullptr || number_in<pid_t>("WATCHDOG_PID") == ::getpid();
  if (!micros || *micros == 0 || !ours) return std::nullopt;
  return Millis{static_cast<Millis::rep>(*micros / 1000)};
}

Result<std::vector<int>, std::string> SystemdNotifier::listening_sockets() {
  const bool ours = number_in<pid_t>("LISTEN_PID") == ::getpid();
  const int count = ours ? number_in<int>("LISTEN_FDS").value_or(0) : 0;
  for (const char* told : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
    ::unsetenv(told);  // they were for this process only
  if (count <= 0) {
    return Err(
        std::string{"systemd handed over no socket; enable the socket unit or drop --web.systemd-socket"});
  }
  std::vector<int> sockets;
  for (int i = 0; i < count; ++i) {
    const int fd = kFirstListenFd + i;
    if (!is_listening_stream(fd)) {
      return Err("file descriptor " + std::to_string(fd) + " from systemd is not a listening stream socket");
    }
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    sockets.push_back(fd);
  }
  return sockets;
}

}  // namespace sharedrift
