#pragma once

#include "core/event.hpp"

#include <string>

namespace sharedrift {

enum class LogFormat { logfmt, json };

/// Appends record_of(event) as one line without its end, whatever the strings hold: what could forge a line,
/// move a cursor or turn the reading direction is escaped, invalid UTF-8 becomes U+FFFD, and what is longer
/// than kMaxLoggedBytes is cut. Keys are ours and snake_case; they are written as they are.
void append_record(std::string& out, LogFormat format, const Event& event);

/// The journal cuts lines at 48 KiB by default; one field may have this much of it.
inline constexpr std::size_t kMaxLoggedBytes = 4096;

}  // namespace sharedrift
