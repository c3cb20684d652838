#include "http_server/request_head.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace sharedrift {

namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHexDigits = "0123456789ABCDEFabcdef";

bool is_made_of(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_name(std::string_view text) {
  return !text.empty() && all_alnum_or(text, "!#$%&'*+-.^_`|~");
}

/// No control character, but for the tabs between words.
bool is_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (c >= '\0' && c < ' ' && c != '\t') || c == '\x7F'; });
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`; empty is none.
bool is_authority(std::string_view text) {
  const std::size_t end = text.starts_with('[') ? text.find(']') : text.find(':');
  if (text.starts_with('[')) {
    if (end == std::string_view::npos || !is_made_of(text.substr(1, end - 1), "0123456789ABCDEFabcdef:."))
      return false;
    text.remove_prefix(end + 1);
  } else {
    if (!all_alnum_or(text.substr(0, end), "-._~%!$&'()*+;=")) return false;
    text.remove_prefix(std::min(end, text.size()));
  }
  return text.empty() || (text.starts_with(':') && is_made_of(text.substr(1), kDigits));
}

/// Takes the first line off `rest`, without its end.
std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find("\r\n"));
  rest.remove_prefix(std::min(line.size() + 2, rest.size()));
  return line;
}

struct Target {
  std::size_t begin = 0;       ///< in the request line
  std::string_view text;       ///< all of it
  std::string_view authority;  ///< of the absolute form; null: it has another form
  std::string_view path;       ///< what follows the authority
};

/// Of `GET target HTTP/1.1`.
Target target_of(std::string_view line) {
  Target target;
  target.begin = line.find(' ') + 1;
  target.text = line.substr(target.begin, line.rfind(' ') - target.begin);
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_but_for_case(target.text.substr(0, scheme.size()), scheme)) continue;
    const std::string_view rest = target.text.substr(scheme.size());
    target.authority = rest.substr(0, rest.find_first_of("/?"));
    target.path = rest.substr(target.authority.size());
  }
  return target;
}

std::optional<std::string> fault_of_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  const bool has_three_parts = first != std::string_view::npos && first + 1 < last &&
                               line.substr(first + 1, last - first - 1).find(' ') == std::string_view::npos;
  if (!has_three_parts || !is_value(line) || line.find('\t') != std::string_view::npos)
    return "The request line is not: method, target, version.";
  for (std::size_t at = line.find('%'); at < last; at = line.find('%', at + 1)) {
    if (at + 2 >= last || !is_made_of(line.substr(at + 1, 2), kHexDigits))
      return "A percent sign of the target is not followed by two hexadecimal digits.";
  }
  return std::nullopt;
}

struct Counts {
  int hosts = 0;
  int lengths = 0;
  bool has_encoding = false;
  std::string_view host;
};

std::optional<std::string> fault_of_field(std::string_view line, Counts& counts) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_name(name))
    return "A header's name has a character that it may not have, or no colon follows it.";
  if (!is_value(line)) return "A header's value has a control character.";
  const std::string_view value = trim(line.substr(colon + 1));
  if (equal_but_for_case(name, "Transfer-Encoding")) {
    counts.has_encoding = true;
    if (value.empty()) return "The Transfer-Encoding is empty.";
  }
  if (equal_but_for_case(name, "Content-Length")) {
    if (++counts.lengths > 1 || value.empty() || !is_made_of(value, kDigits))
      return "The Content-Length is not one number.";
  }
  if (equal_but_for_case(name, "Host")) {
    if (++counts.hosts > 1) return "There is more than one Host.";
    if (!is_authority(value)) return "The Host is neither a name nor an address, with or without a port.";
    counts.host = value;
  }
  return std::nullopt;
}

}  // namespace

std::size_t find_bare_line_end(std::string_view text) {
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') return at;
  }
  return std::string_view::npos;
}

std::optional<std::string> fault_of_head(std::string_view head) {
  const std::string_view line = take_line(head);
  if (auto fault = fault_of_line(line)) return fault;
  Counts counts;
  while (head != "\r\n" && !head.empty()) {
    if (auto fault = fault_of_field(take_line(head), counts)) return fault;
  }
  if (counts.has_encoding && counts.lengths > 0) return "There are a Transfer-Encoding and a Content-Length.";
  if (counts.hosts == 0 && !line.ends_with(" HTTP/1.0")) return "There is no Host.";
  const Target target = target_of(line);
  const bool is_absolute = target.authority.data() != nullptr;
  if (is_absolute && counts.hosts > 0 && !equal_but_for_case(target.authority, counts.host))
    return "The Host is another one than the target's.";
  if (is_absolute && !is_authority(target.authority)) return "The target's host is no host.";
  return std::nullopt;
}

std::string to_origin_form(std::string_view head) {
  const Target target = target_of(head.substr(0, head.find('\r')));
  if (target.authority.data() == nullptr) return std::string(head);
  std::string out(head.substr(0, target.begin));
  out.append(target.path.starts_with('/') ? "" : "/").append(target.path);
  return out.append(head.substr(target.begin + target.text.size()));
}

}  // namespace sharedrift
