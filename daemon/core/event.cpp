#include "core/event.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sharedrift {

const FieldValue* Event::find(std::string_view key) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [key](const Field& f) { return f.key == key; });
  return found == fields.end() ? nullptr : &found->value;
}

std::string Event::text(std::string_view key) const {
  const FieldValue* value = find(key);
  return value == nullptr ? std::string{} : to_text(*value);
}

std::string to_text(const FieldValue& value) {
  struct Render {
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const {
      std::array<char, 32> buffer{};
      const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v);
      return {buffer.data(), end.ptr};
    }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(WallTime v) const { return format_rfc3339(v); }
  };
  return std::visit(Render{}, value);
}

namespace {

std::optional<std::string> shown(const Event& event, std::string_view key) {
  if (const FieldValue* value = event.find(key)) return to_text(*value);
  const std::string id = key == "image" ? event.image_id : event.text(std::string{key} + "_id");
  if (id.empty()) return std::nullopt;
  const std::string name = event.text(std::string{key} + "_name");
  return name.empty() ? id : name + " (" + id + ")";
}

/// False if the event lacks a field that is named in it.
bool append_filled(std::string& out, std::string_view text, const Event& event) {
  bool whole = true;
  while (!text.empty()) {
    const std::size_t begin = text.find('{');
    out += text.substr(0, begin);
    if (begin == std::string_view::npos) break;
    const std::size_t end = text.find('}', begin);
    const std::string_view name = text.substr(begin + 1, end - begin - 1);
    const std::size_t colon = name.find(':');
    const auto value = shown(event, name.substr(0, colon));
    whole = whole && value;
    out += value.value_or("?");
    if (colon != std::string_view::npos)
      out.append(" ").append(name.substr(colon + 1)).append(value == "1" ? "" : "s");
    text.remove_prefix(end + 1);
  }
  return whole;
}

void append_optional(std::string& out, std::string_view text, const Event& event) {
  if (const std::size_t bar = text.find('|'); bar != std::string_view::npos) {
    const std::size_t equals = text.find('=');
    if (event.text(text.substr(0, equals)) != text.substr(equals + 1, bar - equals - 1)) return;
    text.remove_prefix(bar + 1);
  }
  const std::size_t before = out.size();
  if (!append_filled(out, text, event)) out.resize(before);
}

}  // namespace

std::string message_of(const Event& event) {
  std::string out;
  std::string_view rest = spec(event.type).message;
  while (!rest.empty()) {
    const bool optional = rest.front() == '[';
    const std::size_t end = std::min(rest.find(optional ? ']' : '['), rest.size());
    if (optional) {
      append_optional(out, rest.substr(1, end - 1), event);
    } else {
      append_filled(out, rest.substr(0, end), event);
    }
    rest.remove_prefix(optional ? end + 1 : end);
  }
  if (out.empty()) out = to_string(event.type);
  if (event.find("left_out") != nullptr) out += " (without " + event.text("left_out") + ")";
  return out;
}

std::vector<Field> record_of(const Event& event) {
  const EventSpec& type = spec(event.type);
  std::vector<Field> record{{"ts", event.at},
                            {"level", std::string{to_string(type.level)}},
                            {"event", std::string{to_string(event.type)}},
                            {"msg", message_of(event)}};
  if (!event.image_id.empty()) record.push_back({"image_id", event.image_id});
  record.insert(record.end(), event.fields.begin(), event.fields.end());
  return record;
}

}  // namespace sharedrift
