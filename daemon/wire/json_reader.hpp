#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift {

/// A JSON value of a document, in which what is inside of a value follows it. Numbers keep their digits:
/// account ids must not pass through a double.
class JsonValue {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  /// The values directly inside of an array or object, in order; of anything else, none.
  class Inside;

  Kind kind = Kind::null;
  bool flag = false;      ///< of a boolean
  std::string_view name;  ///< of a member of an object; unique there
  std::string_view text;  ///< of a string; of a number: as written

  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }
  [[nodiscard]] Inside inside() const;
  /// A member of an object; null where it is absent or this is no object.
  [[nodiscard]] const JsonValue* find(std::string_view wanted) const;
  /// An integer, written as a number or as a string of digits; none for anything else.
  [[nodiscard]] std::optional<std::int64_t> integer() const;

 private:
  friend class JsonBuilder;
  std::uint32_t span_ = 1;    ///< values from this one to the last inside of it
  std::uint32_t inside_ = 0;  ///< values directly inside
};

class JsonValue::Inside {
 public:
  class Iterator {
   public:
    explicit Iterator(const JsonValue* at) : at_(at) {}
    const JsonValue& operator*() const { return *at_; }
    Iterator& operator++() {
      at_ += at_->span_;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const JsonValue* at_;
  };
  explicit Inside(const JsonValue& of) : of_(&of) {}
  [[nodiscard]] Iterator begin() const { return Iterator(of_ + 1); }
  [[nodiscard]] Iterator end() const { return Iterator(of_ + of_->span_); }
  [[nodiscard]] std::size_t size() const { return of_->inside_; }

 private:
  const JsonValue* of_;
};

inline JsonValue::Inside JsonValue::inside() const {
  return Inside(*this);
}

/// A text that was read, with all of its values in a row. May be moved; its values stay where they are.
class JsonDocument {
 public:
  JsonDocument(std::vector<char> text, std::vector<JsonValue> values)
      : text_(std::move(text)), values_(std::move(values)) {}
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;
  JsonDocument(JsonDocument&&) = default;
  JsonDocument& operator=(JsonDocument&&) = default;
  ~JsonDocument() = default;

  [[nodiscard]] const JsonValue& root() const { return values_.front(); }

 private:
  std::vector<char> text_;  ///< what names and texts point into
  std::vector<JsonValue> values_;
};

struct JsonProblem {
  std::string what;     ///< what is wrong, without quoting the text
  bool capped = false;  ///< it may be JSON, but there is too much of it
};

/// Strict: valid UTF-8, nothing after the value, no duplicate names, at most 32 levels, 300000 values and 100
/// members in an object. No recursion, whatever the depth. Our own: a general library took longer to read an
/// answer than it takes to sign the request. That library is its twin in the test.
Result<JsonDocument, JsonProblem> parse_json(std::string_view text);

}  // namespace sharedrift
