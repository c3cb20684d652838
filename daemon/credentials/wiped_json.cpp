#include "credentials/wiped_json.hpp"

#include "core/secret.hpp"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace sharedrift {

using nlohmann::json;

namespace {

constexpr int kMaxDepth = 32;

void wipe_strings(json& value) noexcept {
  if (auto* const text = value.get_ptr<std::string*>(); text != nullptr) {
    wipe(*text);
  } else if (auto* const array = value.get_ptr<json::array_t*>(); array != nullptr) {
    for (json& part : *array)
      wipe_strings(part);
  } else if (auto* const object = value.get_ptr<json::object_t*>(); object != nullptr) {
    for (auto& [name, part] : *object)
      wipe_strings(part);
  }
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): the move of the library's json is declared noexcept
struct WipedJson::Node {
  json own;                  ///< of the root only
  const json* at = nullptr;  ///< what this node looks at
};

WipedJson::WipedJson(std::unique_ptr<Node> node) : node_(std::move(node)) {}
WipedJson::WipedJson(WipedJson&& other) noexcept = default;
WipedJson& WipedJson::operator=(WipedJson&& other) noexcept = default;
WipedJson::~WipedJson() {
  if (node_ != nullptr) wipe_strings(node_->own);
}

WipedJson WipedJson::parse(std::string_view text) {
  auto node = std::make_unique<Node>();
  bool too_deep = false;
  const json::parser_callback_t watch = [&too_deep](int depth, json::parse_event_t /*event*/,
                                                    json& /*value*/) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  node->own = json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_deep) node->own = nullptr;
  node->at = &node->own;
  return WipedJson{std::move(node)};
}

bool WipedJson::is_object() const {
  return node_->at->is_object();
}

bool WipedJson::has(const char* key) const {
  return is_object() && node_->at->contains(key);
}

std::string_view WipedJson::text(const char* key) const {
  if (!has(key)) return {};
  const auto* const value = node_->at->find(key)->get_ptr<const std::string*>();
  return value == nullptr ? std::string_view{} : std::string_view{*value};
}

std::optional<long long> WipedJson::number(const char* key) const {
  if (!has(key) || node_->at->find(key)->is_null()) return 0;
  const json& value = *node_->at->find(key);
  if (!value.is_number_integer()) return std::nullopt;
  return value.get<long long>();
}

bool WipedJson::flag(const char* key) const {
  return has(key) && *node_->at->find(key) == true;
}

std::vector<WipedJson> WipedJson::objects(const char* key) const {
  std::vector<WipedJson> found;
  if (!has(key) || !node_->at->find(key)->is_array()) return found;
  for (const json& element : *node_->at->find(key)) {
    if (!element.is_object()) continue;
    auto node = std::make_unique<Node>();
    node->at = &element;
    found.push_back(WipedJson{std::move(node)});
  }
  return found;
}

}  // namespace sharedrift
