#pragma once

#include <compare>
#include <limits>
#include <optional>

namespace sharedrift {

/// A std::optional<T> in the space of a T: a fleet remembers millions of moments and counts, and half of each
/// optional would be padding. The lowest T stands for "none", so it is the one value that cannot be held; as
/// with std::optional, none comes before every value.
template <class T>
class CompactOptional {
 public:
  constexpr CompactOptional() = default;
  // Conversions are implicit as those of std::optional are.
  constexpr CompactOptional(std::nullopt_t /*none*/) {}
  constexpr CompactOptional(T value) : value_(value) {}
  constexpr CompactOptional(std::optional<T> value) : value_(value.value_or(none())) {}
  constexpr operator std::optional<T>() const { return *this ? std::optional<T>(value_) : std::nullopt; }

  [[nodiscard]] constexpr bool has_value() const { return value_ != none(); }
  constexpr explicit operator bool() const { return has_value(); }
  /// Only if there is one.
  constexpr const T& operator*() const { return value_; }
  constexpr const T* operator->() const { return &value_; }
  [[nodiscard]] constexpr T value_or(T other) const { return has_value() ? value_ : other; }
  constexpr void reset() { value_ = none(); }

  friend constexpr bool operator==(const CompactOptional&, const CompactOptional&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 inside <=> for a pointer
  friend constexpr auto operator<=>(const CompactOptional&, const CompactOptional&) = default;

 private:
  static constexpr T none() {
    if constexpr (requires { T::min(); }) {
      return T::min();
    } else {
      return std::numeric_limits<T>::min();
    }
  }
  T value_ = none();
};

}  // namespace sharedrift
