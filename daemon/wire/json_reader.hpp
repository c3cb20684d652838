#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift {

/// A JSON value. Numbers keep their digits: account ids must not pass through a double.
struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

  Kind kind = Kind::null;
  bool flag = false;             ///< of a boolean
  std::string name;              ///< of a member of an object; unique there
  std::string text;              ///< of a string; of a number: its digits
  std::vector<JsonValue> items;  ///< what is directly inside of an array or object, in order

  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }
  /// A member of an object; null where it is absent or this is no object.
  [[nodiscard]] const JsonValue* find(std::string_view wanted) const;
  /// The text of a member that is a string; empty where there is none.
  [[nodiscard]] std::string_view string(std::string_view wanted) const;
  /// An integer, written as a number or as a string of digits; none for anything else.
  [[nodiscard]] std::optional<std::int64_t> integer() const;
};

/// A text that was read. It may hold secrets: when it ends, its strings are overwritten.
class JsonDocument {
 public:
  explicit JsonDocument(JsonValue root) : root_(std::move(root)) {}
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;
  JsonDocument(JsonDocument&&) = default;
  JsonDocument& operator=(JsonDocument&&) = delete;
  ~JsonDocument() { wipe(); }

  [[nodiscard]] const JsonValue& root() const { return root_; }
  /// Overwrites every string now; the structure stays.
  void wipe() noexcept;

 private:
  JsonValue root_;
};

struct JsonProblem {
  std::string what;     ///< what is wrong, without quoting the text
  bool capped = false;  ///< it may be JSON, but there is too much of it
};

/// Strict: valid UTF-8, nothing after the value, no duplicate names, no number beyond a double's range, at
/// most 32 levels, 300000 values and 100 members in an object.
Result<JsonDocument, JsonProblem> parse_json(std::string_view text);

}  // namespace sharedrift
