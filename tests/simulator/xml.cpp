#include "simulator/xml.hpp"

#include <nlohmann/json.hpp>

namespace sharedrift::simulator {

namespace {

using nlohmann::json;

constexpr int kMaxElementDepth = 10;

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      default: out += c;
    }
  }
}

void append_element(std::string& out, std::string_view name, const json& value, int depth) {
  if (depth > kMaxElementDepth) return;
  if (value.is_array()) {
    for (const json& item : value)
      append_element(out, name, item, depth + 1);
    return;
  }
  out.append("<").append(name).append(">");
  if (value.is_object()) {
    for (const auto& [key, member] : value.items())
      append_element(out, key, member, depth + 1);
  } else if (value.is_string()) {
    append_escaped(out, value.get_ref<const std::string&>());
  } else if (!value.is_null()) {
    append_escaped(out, value.dump());
  }
  out.append("</").append(name).append(">");
}

}  // namespace

std::string to_xml(std::string_view json_text, std::string_view root) {
  const json value = json::parse(json_text, nullptr, false);
  if (!value.is_object()) return std::string(json_text);
  std::string out = "<?xml version='1.0' encoding='UTF-8'?>";
  append_element(out, root, value, 0);
  return out;
}

}  // namespace sharedrift::simulator
