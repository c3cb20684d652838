#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift {

struct JsonMember;

/// A JSON value whose numbers keep their digits: account ids must not pass through a double.
struct JsonValue {
  enum class Kind { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  bool flag = false;                ///< of a boolean
  std::string text;                 ///< of a string; of a number: as written
  std::vector<JsonValue> items;     ///< of an array
  std::vector<JsonMember> members;  ///< of an object, in order, names unique

  [[nodiscard]] const JsonValue* find(std::string_view name) const;  ///< null where it is absent or no object
  /// An integer, written as a number or as a string of digits; none for anything else.
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

struct JsonProblem {
  std::string what;     ///< what is wrong, without quoting the text
  bool capped = false;  ///< it may be JSON, but there is too much of it
};

/// Strict: valid UTF-8, nothing after the value, no duplicate names, at most 32 levels, 300000 values and 100
/// members in an object. No recursion, whatever the depth. Our own: a general library took longer to read an
/// answer than it takes to sign the request. That library is its twin in the test.
Result<JsonValue, JsonProblem> parse_json(std::string_view text);

}  // namespace sharedrift
