#include "core/text.hpp"
#include "simulator/load.hpp"

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

namespace sharedrift::simulator {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = 8U << 20U;
constexpr int kMaxNodeDepth = 20;
constexpr int kMaxNodes = 2'000'000;

std::string place(const YAML::Node& node) {
  return "line " + std::to_string(node.Mark().line + 1) + ", column " +
         std::to_string(node.Mark().column + 1) + ": ";
}

/// Scalars stay text, so that no account id passes through a number. The bounds are there for aliases, which
/// can make a small file endless.
Result<json, std::string> to_json(const YAML::Node& node, int depth, int& nodes) {
  if (depth > kMaxNodeDepth || ++nodes > kMaxNodes) return Err(place(node) + "too deep or too large");
  if (node.IsScalar()) return json(node.Scalar());
  if (node.IsSequence()) {
    json out = json::array();
    for (const YAML::Node& item : node) {
      SD_TRY(value, to_json(item, depth + 1, nodes));
      out.push_back(std::move(value));
    }
    return out;
  }
  json out = json::object();
  if (!node.IsMap()) return json(nullptr);
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) return Err(place(entry.first) + "a key must be plain text");
    const std::string& name = entry.first.Scalar();
    if (out.contains(name)) return Err(place(entry.first) + "duplicate key '" + clean(name, 60) + "'");
    SD_TRY(value, to_json(entry.second, depth + 1, nodes));
    out[name] = std::move(value);
  }
  return out;
}

}  // namespace

Result<json, std::string> parse_scenario(const std::string& text) {
  if (text.size() > kMaxBytes) return Err(std::string("larger than 8 MiB"));
  if (!is_valid_utf8(text)) return Err(std::string("is not UTF-8"));
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap()) return Err(std::string("must be a mapping"));
    int nodes = 0;
    return to_json(root, 0, nodes);
  } catch (const YAML::Exception& problem) {
    return Err(clean(problem.what(), 300));
  }
}

}  // namespace sharedrift::simulator
