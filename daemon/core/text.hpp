#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sharedrift {

/// Makes text from outside fit to be shown: invalid UTF-8, C0, DEL, C1, U+2028/2029, bidirectional controls
/// and characters without width become U+FFFD, and what is longer than `max_bytes` is cut at a character and
/// marked with an ellipsis.
std::string clean(std::string_view text, std::size_t max_bytes = 200);

/// The first byte that is not UTF-8, or with which a control character (but a tab) or one that turns the
/// reading direction begins.
std::optional<std::size_t> find_unsafe(std::string_view text);

/// True for well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF).
bool is_valid_utf8(std::string_view text);

/// A character of valid UTF-8 that nobody sees.
struct UnseenCharacter {
  std::size_t at;    ///< byte
  std::string name;  ///< `U+200B`
};
/// The first that has no width, or looks like a blank at either end, so that two texts that look alike
/// differ. Joiners and variation selectors are seen by what they do to the character before them, unless that
/// is ASCII.
std::optional<UnseenCharacter> find_unseen(std::string_view text);

/// `text` with U+FFFD in place of what is not UTF-8.
std::string valid_utf8(std::string_view text);

/// Appends `text` as a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD; every control character,
/// DEL, C1, U+2028/2029 and bidirectional control is written as an escape, so that one record is always one
/// line.
void append_json_string(std::string& out, std::string_view text);

/// Appends `text` as a label value of the Prometheus text format, without the quotes: escapes `\`, `"` and
/// line feed. Invalid UTF-8 becomes U+FFFD, since Prometheus drops a whole scrape for one bad byte.
void append_label_value(std::string& out, std::string_view text);

/// Edit distance with transpositions, for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);

/// ASCII, whatever the locale: not std::isdigit and friends, which ask for it.
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alnum(char c) {
  return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string to_lower(std::string_view text);
bool equal_but_for_case(std::string_view a, std::string_view b);

/// Whether all of it is ASCII letters, digits and characters of `also`.
bool all_alnum_or(std::string_view text, std::string_view also);
/// ASCII from the blank to the tilde and nothing else.
bool is_printable_ascii(std::string_view text);
/// The same, and tabs.
bool is_printable_or_tab(std::string_view text);

/// Without ASCII blanks and tabs and line ends at either end.
std::string_view trim(std::string_view text);
/// One behind the other.
template <class Texts>
std::string joined(const Texts& texts, std::string_view between) {
  std::string out;
  std::string_view separator;
  for (const auto& text : texts) {
    out.append(separator).append(text);
    separator = between;
  }
  return out;
}

}  // namespace sharedrift
