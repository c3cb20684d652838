#include "wire/field_json.hpp"

#include <cstdint>
#include <type_traits>
#include <variant>

#include <nlohmann/json.hpp>

namespace sharedrift {

std::string fields_to_json(const std::vector<Field>& fields, bool ascii_only) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, value] : fields) {
    std::visit(
        [&member = json[key]](const auto& v) {
          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, WallTime>) {
            member = format_rfc3339(v);
          } else {
            member = v;
          }
        },
        value);
  }
  return json.dump(-1, ' ', ascii_only, nlohmann::ordered_json::error_handler_t::replace);
}

std::vector<Field> fields_from_json(const std::string& text) {
  std::vector<Field> fields;
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!json.is_object()) return fields;
  for (const auto& [key, value] : json.items()) {
    if (value.is_string()) {
      fields.push_back({key, value.get<std::string>()});
    } else if (value.is_boolean()) {
      fields.push_back({key, value.get<bool>()});
    } else if (value.is_number_integer()) {
      fields.push_back({key, value.get<std::int64_t>()});
    } else if (value.is_number()) {
      fields.push_back({key, value.get<double>()});
    }
  }
  return fields;
}

}  // namespace sharedrift
