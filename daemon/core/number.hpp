#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace sharedrift {

/// All of the text as a number, as std::from_chars reads it: no blanks, no plus sign, nothing behind it, and
/// not larger than the type.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

}  // namespace sharedrift
