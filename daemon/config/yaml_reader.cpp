#include "config/yaml_reader.hpp"

#include "core/number.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>

namespace sharedrift {

namespace {

std::string_view kind_name(YamlKind kind) {
  switch (kind) {
    case YamlKind::map: return "a map";
    case YamlKind::sequence: return "a list";
    case YamlKind::scalar: return "a single value";
    case YamlKind::null:
    case YamlKind::refused: break;
  }
  return "nothing";
}

/// Keys under which people put secrets.
bool smells_of_secret(std::string_view key) {
  constexpr std::array<std::string_view, 6> kWords{"secret", "password",   "passwd",
                                                   "token",  "access_key", "api_key"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [key](std::string_view word) { return key.find(word) != std::string_view::npos; });
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known) {
  constexpr std::size_t kLongest = 64;  // the distance costs the product of both lengths
  if (word.size() > kLongest) return {};
  std::string_view best;
  std::size_t best_distance = word.size() <= 3 ? 2 : word.size() <= 8 ? 3 : 4;  // the first that is too far
  for (const std::string_view name : known) {
    const std::size_t distance = name.size() > kLongest ? best_distance : edit_distance(word, name);
    if (distance >= best_distance || distance >= name.size()) continue;
    best = name;
    best_distance = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
  const std::string_view name = nearest(word, known);
  return name.empty() ? std::string{} : "did you mean " + in_quotes(name) + "?";
}

std::string YamlReader::path(const Place& at) const {
  if (at.parent == nullptr) return {};
  std::string out = path(*at.parent);  // as deep as the tree, which is bounded
  if (at.key != kNoYamlNode) {
    append_path_key(out, tree_.text(at.key));
  } else {
    append_path_index(out, at.index);
  }
  return out;
}

int YamlReader::line(const Place& at) const {
  return static_cast<int>(tree_[at.key != kNoYamlNode ? at.key : at.node].line);
}

std::string YamlReader::name_of(const Origin& origin) const {
  const std::string line = "line " + std::to_string(origin.line);
  return is_elsewhere(origin) ? line + " of " + std::string(origin.file) : line;
}

Diagnostic& YamlReader::add(YamlIndex node, const Place& at, std::string message, std::string hint) {
  return problems_.add(static_cast<int>(tree_[node].line), static_cast<int>(tree_[node].column), path(at),
                       std::move(message), std::move(hint));
}
void YamlReader::fail(const Place& at, std::string message, std::string hint) {
  // yaml-cpp 0.7.0 puts an empty value where the next token stands, lines below.
  const bool at_key = at.key != kNoYamlNode && kind(at) == YamlKind::null;
  add(at_key ? at.key : at.node, at, std::move(message), std::move(hint));
}
void YamlReader::fail_key(const Place& at, std::string message, std::string hint) {
  add(at.key != kNoYamlNode ? at.key : at.node, at, std::move(message), std::move(hint));
}
void YamlReader::warn(const Place& at, std::string message, std::string hint) {
  Diagnostic& told = add(at.node, at, std::move(message), std::move(hint));
  told.warning = true;
}
void YamlReader::warn_key(const Place& at, std::string message, std::string hint) {
  Diagnostic& told = add(at.key, at, std::move(message), std::move(hint));
  told.warning = true;
}

void YamlReader::fail_choice(const Place& at, const std::vector<std::string_view>& names) {
  const std::string hint = did_you_mean(raw(at), names);
  fail(at, in_quotes(raw(at)) + " is none of " + joined(names, ", "), hint);
}

bool YamlReader::expect_map(const Place& at) {
  const YamlKind found = kind(at);
  if (found == YamlKind::map) return true;
  if (found == YamlKind::null) {
    fail(at, "is empty; expected a map");
  } else if (found != YamlKind::refused) {
    fail(at, "expected a map, found " + std::string(kind_name(found)));
  }
  return false;
}

void YamlReader::expect_list(const Place& at) {
  const YamlKind found = kind(at);
  if (found == YamlKind::null) {
    fail(at, "is empty; expected a list", "write [] for an empty one");
  } else if (found == YamlKind::scalar) {
    fail(at, "expected a list, found a single value", "write it in brackets: [...]");
  } else if (found == YamlKind::map) {
    fail(at, "expected a list, found a map");
  }
}

bool YamlReader::expect_scalar(const Place& at, std::string_view wanted) {
  const YamlKind found = kind(at);
  if (found == YamlKind::scalar) return true;
  if (found == YamlKind::null) {
    fail(at, "is empty; expected " + std::string(wanted));
  } else if (found != YamlKind::refused) {
    fail(at, "expected " + std::string(wanted) + ", found " + std::string(kind_name(found)));
  }
  return false;
}

bool YamlReader::text(const Place& at, TextRule rule, std::string& out) {
  if (!expect_scalar(at, "text")) return false;
  const std::string_view value = raw(at);
  if (value.size() < rule.min_bytes) {
    fail(at, trim(value).empty() ? "must not be empty"
                                 : "is too short; " + std::to_string(rule.min_bytes) + " bytes at least");
  } else if (rule.min_bytes > 0 && trim(value).empty()) {
    fail(at, "must not be blank");
  } else if (value.size() > rule.max_bytes) {
    fail(at, "is too long; " + std::to_string(rule.max_bytes) + " bytes at most");
  } else if (clean(value, value.size()) != value) {
    fail(at, "must be one line without control characters");
  } else {
    out = value;
    return true;
  }
  return false;
}

void YamlReader::file_path(const Place& at, std::string& out) {
  constexpr std::size_t kPathMax = 4095;
  std::string value;
  if (!text(at, {1, kPathMax}, value)) return;
  if (value.front() != '/') {
    fail(at, in_quotes(value) + " is not an absolute path",
         "begin it with /; ~ and variables are not expanded");
    return;
  }
  out = std::move(value);
}

void YamlReader::boolean(const Place& at, bool& out) {
  if (!expect_scalar(at, "true or false")) return;
  const std::string_view value = raw(at);
  if (is_plain(at) && (value == "true" || value == "false")) {
    out = value == "true";
    return;
  }
  fail(at, "expected true or false, found " + in_quotes(value),
       value == "true" || value == "false" ? "leave the quotes out" : "");
}

void YamlReader::integer(const Place& at, int min, int max, int& out) {
  const std::string wanted = "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  if (!expect_scalar(at, wanted)) return;
  const std::string_view value = raw(at);
  const auto number = parse_number<int>(value);
  // A leading 0 is an octal number to some readers of YAML and a decimal one to others.
  const bool whole = number && (value == "0" || value.front() != '0');
  if (whole && is_plain(at) && *number >= min && *number <= max) {
    out = *number;
    return;
  }
  fail(at, "expected " + wanted + ", found " + in_quotes(value),
       whole && !is_plain(at) ? "leave the quotes out" : "");
}

void YamlReader::number(const Place& at, double max, double& out) {
  const std::string wanted = "a number from 0.01 to " + std::to_string(static_cast<int>(max)) + ", or 0";
  constexpr double kSmallest = 0.01;
  if (!expect_scalar(at, wanted)) return;
  const std::string_view value = raw(at);
  double number = 0;
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), number, std::chars_format::fixed);
  const bool ok = error == std::errc{} && end == value.data() + value.size() && std::isfinite(number) &&
                  !std::signbit(number) && (number == 0 || number >= kSmallest) && number <= max;
  if (ok && is_plain(at)) {
    out = number;
    return;
  }
  fail(at, "expected " + wanted + ", found " + in_quotes(value), ok ? "leave the quotes out" : "");
}

bool YamlReader::duration(const Place& at, Millis min, Millis max, Millis& out) {
  const std::string wanted = "a duration from " + format_duration(min) + " to " + format_duration(max);
  if (!expect_scalar(at, wanted)) return false;
  const std::string_view value = raw(at);
  const auto parsed = parse_duration(value);
  if (parsed && *parsed >= min && *parsed <= max) {
    out = *parsed;
    return true;
  }
  std::string hint;
  if (!value.empty() && value.find_first_not_of("0123456789") == value.npos) {
    const auto seconds = parse_duration(std::string(value) + "s");
    const bool fits = seconds && *seconds >= min && *seconds <= max;
    hint = fits ? "did you mean " + in_quotes(std::string(value) + "s") + "?" : "a unit is missing";
  } else if (!parsed) {
    hint = "such as 30s, 5m, 1h30m or 7d";
  }
  fail(at, "expected " + wanted + ", found " + in_quotes(value), std::move(hint));
  return false;
}

std::optional<AccountId> YamlReader::account(const Place& at) {
  if (!expect_scalar(at, "an account id")) return std::nullopt;
  const auto id = AccountId::parse(raw(at));
  if (!id) fail(at, in_quotes(raw(at)) + " is not an account id", "1 to 20 digits, nothing else");
  return id;
}

Fields::Fields(YamlReader& reader, const Place& map, std::span<const std::string_view> known,
               std::span<const RefusedKey> refused)
    : reader_(reader), map_(map), known_(known), refused_(refused), is_map_(reader.expect_map(map)) {
  assert(known.size() <= kMostKeys);
  if (!is_map_) return;
  reader.each_entry(map, [this](std::string_view key, const Place& at) {
    const auto found = std::find(known_.begin(), known_.end(), key);
    if (found == known_.end()) {
      report_unknown(key, at);
      return;
    }
    Place& slot = values_.at(static_cast<std::size_t>(found - known_.begin()));
    if (slot.node == kNoYamlNode) slot = at;  // a duplicate was reported; the first is read
  });
}

void Fields::report_unknown(std::string_view key, const Place& at) {
  const auto refused = std::find_if(refused_.begin(), refused_.end(),
                                    [key](const RefusedKey& candidate) { return candidate.key == key; });
  if (refused != refused_.end()) {
    reader_.fail_key(at, std::string(refused->message), std::string(refused->hint));
    return;
  }
  std::vector<std::string_view> free;  // keys that are there already were not meant
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (values_.at(i).node == kNoYamlNode) free.push_back(known_[i]);
  }
  std::string hint = did_you_mean(key, free);
  if (hint.empty() && smells_of_secret(key)) hint = "secrets never stand in this file";
  if (hint.empty()) hint = "known: " + joined(known_, ", ");
  reader_.fail_key(at, "unknown key", std::move(hint));
}

std::optional<Place> Fields::find(std::string_view key) const {
  const auto found = std::find(known_.begin(), known_.end(), key);
  assert(found != known_.end());
  const Place& slot = values_.at(static_cast<std::size_t>(found - known_.begin()));
  if (slot.node == kNoYamlNode) return std::nullopt;
  Place at = slot;
  at.parent = &map_;
  return at;
}

std::optional<Place> Fields::require(std::string_view key) {
  const auto at = find(key);
  if (!at && is_map_) reader_.fail(map_, "the key " + in_quotes(key) + " is missing");
  return at;
}

}  // namespace sharedrift
