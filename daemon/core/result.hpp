#pragma once

#include <utility>
#include <variant>

namespace sharedrift {

/// The value of a Result that carries nothing but its success.
struct Unit {};

/// Marks the error alternative while a Result is being built: `return Err(error);`.
template <class E>
struct Err {
  explicit Err(E e) : error(std::move(e)) {}
  E error;
};

/// Either a value or an error. A subset of std::expected's interface (which clang 14 cannot see in libstdc++
/// 12), so that it can be replaced by it. Reading the side that is not there is a bug:
/// std::bad_variant_access.
template <class T, class E>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose, as in std::expected: `return value;` and `return Err(error);` are the whole
  // vocabulary.
  Result(T value) : data_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Err<E> err)
      : data_(std::in_place_index<1>, std::move(err.error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return data_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] T& value() & { return std::get<0>(data_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(data_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(data_)); }
  T& operator*() & { return std::get<0>(data_); }
  const T& operator*() const& { return std::get<0>(data_); }
  T&& operator*() && { return std::get<0>(std::move(data_)); }
  T* operator->() { return &std::get<0>(data_); }
  const T* operator->() const { return &std::get<0>(data_); }
  [[nodiscard]] E& error() & { return std::get<1>(data_); }
  [[nodiscard]] const E& error() const& { return std::get<1>(data_); }
  [[nodiscard]] E&& error() && { return std::get<1>(std::move(data_)); }
  [[nodiscard]] T value_or(T fallback) const& { return has_value() ? value() : std::move(fallback); }

 private:
  std::variant<T, E> data_;
};

}  // namespace sharedrift

#define SD_CONCAT_INNER(a, b) a##b
#define SD_CONCAT(a, b) SD_CONCAT_INNER(a, b)

/// `SD_TRY(name, expression);` declares `name` with the value of a Result, or returns its error from the
/// function. The only macro: the language has no other way to return from the caller.
// NOLINTBEGIN(bugprone-macro-parentheses): a name that is declared cannot be in parentheses
#define SD_TRY(name, expression)                                               \
  auto SD_CONCAT(sd_try_, __LINE__) = (expression);                            \
  if (!SD_CONCAT(sd_try_, __LINE__)) {                                         \
    return ::sharedrift::Err(std::move(SD_CONCAT(sd_try_, __LINE__)).error()); \
  }                                                                            \
  auto name = std::move(SD_CONCAT(sd_try_, __LINE__)).value()
// NOLINTEND(bugprone-macro-parentheses)
