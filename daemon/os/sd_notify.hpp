#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sharedrift {

/// What systemd is told, and what it hands over. Every call is harmless where no systemd listens.
/// Thread-safe.
class SystemdNotifier {
 public:
  static void ready(const std::string& status);
  static void reloading();
  static void stopping();
  static void status(const std::string& text);
  static void watchdog();
  /// How often systemd wants to hear from us (WatchdogSec=); none: it does not.
  static std::optional<Millis> watchdog_interval();
  /// The listening TCP sockets of a socket unit; the error is for people.
  static Result<std::vector<int>, std::string> listening_sockets();
};

}  // namespace sharedrift
