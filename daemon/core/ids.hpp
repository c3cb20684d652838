#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// An Alibaba Cloud account id (UID): 1 to 20 ASCII digits, kept as written. It is a name, not a number: ids
/// exceed 2^53, may carry leading zeros and must never pass through a double. A trivially copyable value of
/// 24 bytes, ordered by its digits from the first on.
class AccountId {
 public:
  static std::optional<AccountId> parse(std::string_view digits);

  [[nodiscard]] std::string_view str() const {
    return {bytes_.data(), static_cast<std::size_t>(bytes_.back())};
  }
  [[nodiscard]] std::size_t hash() const {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
    const std::uint64_t mixed = ((word(0) * kOdd) ^ word(1)) * kOdd ^ word(2);
    return static_cast<std::size_t>(mixed ^ (mixed >> 32U));
  }

  // By default arrays are compared byte by byte, and sets do little else.
  friend bool operator==(const AccountId& a, const AccountId& b) {
    return a.word(0) == b.word(0) && a.word(1) == b.word(1) && a.word(2) == b.word(2);
  }
  friend std::strong_ordering operator<=>(const AccountId& a, const AccountId& b) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (a.word(i) != b.word(i)) return a.word(i) <=> b.word(i);
    }
    return a.word(2) <=> b.word(2);
  }

 private:
  static constexpr std::size_t kMaxDigits = 20;
  AccountId() = default;
  /// Eight of the bytes as a number that is ordered as they are.
  [[nodiscard]] std::uint64_t word(std::size_t number) const {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, bytes_.data() + number * sizeof bytes, sizeof bytes);
    return std::endian::native == std::endian::little ? __builtin_bswap64(bytes) : bytes;
  }
  std::array<char, 24> bytes_{};  ///< the digits, zeros, and in the last one how many digits there are
};

/// True if a list that is sorted holds the account.
bool contains(const std::vector<AccountId>& sorted, const AccountId& account);

/// An image id: 1 to 128 of `A-Za-z0-9._-`, beginning with a letter or digit. Safe in URLs, labels, logs and
/// file names.
class ImageId {
 public:
  static std::optional<ImageId> parse(std::string_view text);

  [[nodiscard]] const std::string& str() const { return text_; }

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 inside <=> for a pointer
  friend auto operator<=>(const ImageId&, const ImageId&) = default;

 private:
  explicit ImageId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// FNV-1a, 64 bits: stable over builds, machines and releases. Shards and the poll's moment in its interval
/// hang on it.
std::uint64_t stable_hash(std::string_view text);

}  // namespace sharedrift

template <>
struct std::hash<sharedrift::ImageId> {
  std::size_t operator()(const sharedrift::ImageId& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};
template <>
struct std::hash<sharedrift::AccountId> {
  std::size_t operator()(const sharedrift::AccountId& id) const noexcept { return id.hash(); }
};
