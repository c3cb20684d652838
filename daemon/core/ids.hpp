#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// An Alibaba Cloud account id (UID): 1 to 20 ASCII digits, kept as written. It is a name, not a number: ids
/// exceed 2^53, may carry leading zeros and must never pass through a double. Ordered as its digits are as
/// text.
class AccountId {
 public:
  static std::optional<AccountId> parse(std::string_view digits);

  [[nodiscard]] std::string_view str() const {
    return {reinterpret_cast<const char*>(digits_.data()), size_};
  }

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 inside <=> for a pointer
  friend auto operator<=>(const AccountId&, const AccountId&) = default;

 private:
  AccountId() = default;
  /// And zeros, which come before every digit. Unsigned: arrays of those are compared at once, not one by
  /// one.
  std::array<unsigned char, 20> digits_{};
  std::uint8_t size_ = 0;
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

/// The shard, from 0, that an image belongs to among `count` (at least 1): jump consistent hash (Lamping and
/// Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014) over stable_hash, as kube-state-metrics
/// shards. Going from n to m shards moves only what it must: an image stays or goes to a shard that is new.
int shard_of(const ImageId& image, int count);

}  // namespace sharedrift

template <>
struct std::hash<sharedrift::ImageId> {
  std::size_t operator()(const sharedrift::ImageId& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};
template <>
struct std::hash<sharedrift::AccountId> {
  std::size_t operator()(const sharedrift::AccountId& id) const noexcept {
    return std::hash<std::string_view>{}(id.str());
  }
};
