#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sharedrift {

using Millis = std::chrono::milliseconds;
/// Schedules, deadlines and ages are measured on this clock only: it never jumps.
using MonoTime = std::chrono::steady_clock::time_point;
/// What people read and what is compared with dates: UTC, milliseconds since 1970. May jump.
using WallTime = std::chrono::sys_time<Millis>;

/// One moment on both clocks. Every function of the core that needs the time takes it as an argument.
struct Instant {
  MonoTime mono;
  WallTime wall;
};

/// `2026-11-24T09:20:44.123Z`.
std::string format_rfc3339(WallTime time);
/// RFC 3339 with `Z` or a numeric offset, fraction optional; nothing else (no lower-case, no blanks).
std::optional<WallTime> parse_rfc3339(std::string_view text);
/// `YYYY-MM-DD`: the *first moment of the next day*, UTC, since a date in a config means "until the end of
/// that day".
std::optional<WallTime> parse_end_of_day(std::string_view text);
/// The Date header of HTTP (RFC 9110 5.6.7, IMF-fixdate: `Tue, 24 Nov 2026 09:20:44 GMT`).
std::optional<WallTime> parse_http_date(std::string_view text);

/// A duration as Prometheus writes it: `30s`, `5m`, `1h30m`, `7d`, `1w`, `1y`, `500ms`; units in falling
/// order, each once. `0` alone is allowed. Nothing else; at most 100 years.
std::optional<Millis> parse_duration(std::string_view text);
/// The same spelling, largest units first: `1h30m`. Whole years are years, all else is days: `400d`.
std::string format_duration(Millis duration);

/// Seconds since 1970 with millisecond precision, as metrics want them.
inline double unix_seconds(WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace sharedrift
