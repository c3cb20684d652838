#include "io/sd_notify.hpp"

#include <cstdint>
#include <ctime>

#include <sys/socket.h>
#include <systemd/sd-daemon.h>

namespace sharedrift {

namespace {
void notify(const std::string& state) {
  sd_notify(0, state.c_str());
}
/// One line: a line break would be another assignment.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}
}  // namespace

void SystemdNotifier::ready(const std::string& status) {
  notify("READY=1\nSTATUS=" + one_line(status));
}

void SystemdNotifier::reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto micros = static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(micros));
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
  std::uint64_t micros = 0;
  if (sd_watchdog_enabled(0, &micros) <= 0) return std::nullopt;
  return Millis{static_cast<Millis::rep>(micros / 1000)};
}

Result<std::vector<int>, std::string> SystemdNotifier::listening_sockets() {
  const int count = sd_listen_fds(1);
  if (count <= 0) {
    return Err(
        std::string{"systemd handed over no socket; enable the socket unit or drop --web.systemd-socket"});
  }
  std::vector<int> sockets;
  for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
      return Err("file descriptor " + std::to_string(fd) + " from systemd is not a listening stream socket");
    }
    sockets.push_back(fd);
  }
  return sockets;
}

}  // namespace sharedrift
