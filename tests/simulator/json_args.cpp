#include "simulator/json_args.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

namespace sharedrift::simulator {

namespace {

using nlohmann::json;

/// Digits stay digits: nothing passes through a double.
std::optional<std::string> scalar_text(const json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>();
  if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  return std::nullopt;
}

}  // namespace

JsonArgs::JsonArgs(const json& object, std::string what) : object_(object), what_(std::move(what)) {
  if (!object_.is_object()) fail("must be an object");
}

const json* JsonArgs::find(std::string_view name) {
  known_.emplace(name);
  if (!object_.is_object()) return nullptr;
  const auto it = object_.find(name);
  return it == object_.end() ? nullptr : &*it;
}

bool JsonArgs::has(std::string_view name) const {
  return object_.is_object() && object_.find(name) != object_.end();
}

const json* JsonArgs::raw(std::string_view name) {
  return find(name);
}

std::string JsonArgs::text(std::string_view name, const std::optional<std::string>& fallback) {
  const json* value = find(name);
  if (value == nullptr) {
    if (!fallback) fail("'" + std::string(name) + "' is missing");
    return fallback.value_or("");
  }
  std::optional<std::string> text = scalar_text(*value);
  if (!text) fail("'" + std::string(name) + "' must be a string");
  return text.value_or("");
}

std::int64_t JsonArgs::number(std::string_view name, std::int64_t min, std::int64_t max,
                              std::optional<std::int64_t> fallback) {
  const json* value = find(name);
  if (value == nullptr) {
    if (!fallback) fail("'" + std::string(name) + "' is missing");
    return fallback.value_or(min);
  }
  const std::optional<std::string> text = scalar_text(*value);
  const std::optional<std::int64_t> parsed = text ? parse_integer(*text, min, max) : std::nullopt;
  if (!parsed) {
    fail("'" + std::string(name) + "' must be an integer from " + std::to_string(min) + " to " +
         std::to_string(max));
  }
  return parsed.value_or(min);
}

bool JsonArgs::boolean(std::string_view name, bool fallback) {
  const json* value = find(name);
  if (value == nullptr) return fallback;
  if (value->is_boolean()) return value->get<bool>();
  const std::string text = scalar_text(*value).value_or("");
  if (text != "true" && text != "false") fail("'" + std::string(name) + "' must be true or false");
  return text == "true";
}

std::vector<std::string> JsonArgs::texts(std::string_view name) {
  const json* value = find(name);
  std::vector<std::string> out;
  if (value == nullptr) return out;
  const auto add = [&](const json& one) {
    std::optional<std::string> text = scalar_text(one);
    if (!text) fail("'" + std::string(name) + "' must be a list of strings");
    out.push_back(text.value_or(""));
  };
  if (!value->is_array()) {
    add(*value);
    return out;
  }
  for (const json& one : *value)
    add(one);
  return out;
}

std::string JsonArgs::choice(std::string_view name, std::string_view choices,
                             const std::optional<std::string>& fallback) {
  const std::vector<std::string_view> all = split(choices, '|');
  std::string chosen = text(name, fallback.value_or(std::string(all.front())));
  if (std::find(all.begin(), all.end(), chosen) == all.end()) {
    fail("'" + std::string(name) + "' must be one of " + std::string(choices));
  }
  return chosen;
}

void JsonArgs::fail(const std::string& message) {
  if (!error_) error_ = what_ + ": " + clean(message, 400);
}

std::optional<std::string> JsonArgs::error() const {
  if (error_) return error_;
  for (const auto& [name, value] : object_.items()) {
    if (known_.contains(name)) continue;
    std::string known;
    for (const std::string& k : known_)
      known.append(known.empty() ? "" : ", ").append(k);
    return what_ + ": unknown member '" + clean(name, 60) + "'; known are: " + known;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc{} || stop != end || value < min || value > max) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t at = text.find(separator);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

}  // namespace sharedrift::simulator
