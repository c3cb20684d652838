#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace sharedrift {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";     // U+2026
constexpr char32_t kInvalid = 0xFFFFFFFF;

struct Decoded {
  char32_t code = kInvalid;
  std::size_t length = 1;
};

/// The character at the start of `text` (not empty). Ill-formed bytes: kInvalid, length 1 (Unicode 15, table
/// 3-7).
Decoded decode(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4U : lead >= 0xE0 ? 3U : 2U;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t code = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest.at(length) || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, length};
}

/// Calls `put(code, bytes)` for each character; what is not UTF-8 is U+FFFD there.
template <class Put>
void each_character(std::string_view text, Put put) {
  while (!text.empty()) {
    const Decoded c = decode(text);
    put(c.code, c.code == kInvalid ? kReplacement : text.substr(0, c.length));
    text.remove_prefix(c.length);
  }
}

/// Characters that can forge a line, move a terminal's cursor or turn the reading direction.
bool is_unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029 || c == 0x061C || c == 0x200E ||
         c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void append_u_escape(std::string& out, char32_t code) {  // all unsafe characters are below U+10000
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4)
    out += kHex[(code >> static_cast<unsigned>(shift)) & 0xFU];
}

struct Range {
  char32_t first;
  char32_t last;
};
template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& r) { return c >= r.first && c <= r.last; });
}

/// Unicode 15's Default_Ignorable_Code_Point, but for what shapes its neighbour.
constexpr std::array<Range, 13> kWithoutWidth{{{0xAD, 0xAD},
                                               {0x34F, 0x34F},
                                               {0x115F, 0x1160},
                                               {0x17B4, 0x17B5},
                                               {0x180E, 0x180E},
                                               {0x200B, 0x200B},
                                               {0x2060, 0x206F},
                                               {0x3164, 0x3164},
                                               {0xFFA0, 0xFFA0},
                                               {0xFFF0, 0xFFFB},
                                               {0x1BCA0, 0x1BCA3},
                                               {0x1D173, 0x1D17A},
                                               {0xE0000, 0xE00FF}}};
constexpr std::array<Range, 4> kShaping{
    {{0x180B, 0x180D}, {0x200C, 0x200D}, {0xFE00, 0xFE0F}, {0xE0100, 0xE0FFF}}};
constexpr std::array<Range, 6> kLikeABlank{
    {{0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}}};

std::string name_of_character(char32_t code) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string digits;
  for (; code > 0 || digits.size() < 4; code >>= 4U)
    digits.insert(digits.begin(), kHex[code & 0xFU]);
  return "U+" + digits;
}

}  // namespace

std::optional<UnseenCharacter> find_unseen(std::string_view text) {
  if (is_printable_ascii(text)) return std::nullopt;
  bool after_ascii = true;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode(text.substr(at));
    const bool at_an_end = at == 0 || at + c.length == text.size();
    if (is_in(kWithoutWidth, c.code) || (after_ascii && is_in(kShaping, c.code)) ||
        (at_an_end && is_in(kLikeABlank, c.code))) {
      return UnseenCharacter{at, name_of_character(c.code)};
    }
    after_ascii = c.code < 0x80;
    at += c.length;
  }
  return std::nullopt;
}

std::optional<std::size_t> find_unsafe(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode(text.substr(at));
    if (c.code == kInvalid || (c.code != '\t' && is_unsafe(c.code))) return at;
    at += c.length;
  }
  return std::nullopt;
}

std::string clean(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes && is_printable_ascii(text)) return std::string{text};
  std::string out;
  out.reserve(std::min(text.size(), max_bytes));
  while (!text.empty()) {
    const Decoded c = decode(text);
    const std::string_view shown = c.code == kInvalid || is_unsafe(c.code) || is_in(kWithoutWidth, c.code)
                                       ? kReplacement
                                       : text.substr(0, c.length);
    if (out.size() + shown.size() > max_bytes) return out.append(kEllipsis);
    out += shown;
    text.remove_prefix(c.length);
  }
  return out;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const Decoded c = decode(text);
    if (c.code == kInvalid) return false;
    text.remove_prefix(c.length);
  }
  return true;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  each_character(text, [&out](char32_t /*code*/, std::string_view bytes) { out += bytes; });
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  each_character(text, [&out](char32_t code, std::string_view bytes) {
    if (code == '\n' || code == '\t') {
      out += code == '\n' ? "\\n" : "\\t";
    } else if (code != kInvalid && is_unsafe(code)) {
      append_u_escape(out, code);
    } else {
      out.append(code == '"' || code == '\\' ? "\\" : "").append(bytes);
    }
  });
  out += '"';
}

void append_label_value(std::string& out, std::string_view text) {
  each_character(text, [&out](char32_t code, std::string_view bytes) {
    if (code == '"' || code == '\\' || code == '\n') out += '\\';
    out += code == '\n' ? "n" : bytes;
  });
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment: three rows of the usual table are enough.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, substitute});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    before.swap(previous);
    previous.swap(current);
  }
  return previous[b.size()];
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    c = to_lower(c);
  return out;
}

bool equal_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool all_alnum_or(std::string_view text, std::string_view also) {
  return std::all_of(text.begin(), text.end(),
                     [also](char c) { return is_alnum(c) || also.find(c) != std::string_view::npos; });
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_printable_or_tab(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

}  // namespace sharedrift
