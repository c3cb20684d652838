#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace sharedrift {

/// A parsed JSON document that holds secrets: every string in it is overwritten when it ends. Views it gives
/// out live as long as the document they came from.
class WipedJson {
 public:
  /// Not-JSON (and anything nested deeper than 32 levels) gives a document that is not an object.
  static WipedJson parse(std::string_view text);
  WipedJson(WipedJson&& other) noexcept;
  WipedJson& operator=(WipedJson&& other) noexcept;
  WipedJson(const WipedJson&) = delete;
  WipedJson& operator=(const WipedJson&) = delete;
  ~WipedJson();

  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool has(const char* key) const;
  /// The string under `key`; empty where it is absent or no string.
  [[nodiscard]] std::string_view text(const char* key) const;
  /// The whole number under `key`: 0 where it is absent or null, none where it is anything else.
  [[nodiscard]] std::optional<long long> number(const char* key) const;
  /// True only for the literal true.
  [[nodiscard]] bool flag(const char* key) const;
  /// The objects of the array under `key`; views into this document.
  [[nodiscard]] std::vector<WipedJson> objects(const char* key) const;

 private:
  struct Node;
  explicit WipedJson(std::unique_ptr<Node> node);
  std::unique_ptr<Node> node_;
};

}  // namespace sharedrift
