#include "core/ids.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace sharedrift {

namespace {
constexpr std::size_t kMaxImageId = 128;
}  // namespace

std::optional<AccountId> AccountId::parse(std::string_view digits) {
  AccountId id;
  if (digits.empty() || digits.size() > id.digits_.size()) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  std::copy(digits.begin(), digits.end(), id.digits_.begin());
  id.size_ = static_cast<std::uint8_t>(digits.size());
  return id;
}

std::optional<ImageId> ImageId::parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxImageId || !is_alnum(text.front())) return std::nullopt;
  if (!all_alnum_or(text, "._-")) return std::nullopt;
  return ImageId{std::string{text}};
}

bool contains(const std::vector<AccountId>& sorted, const AccountId& account) {
  return std::binary_search(sorted.begin(), sorted.end(), account);
}

std::uint64_t stable_hash(std::string_view text) {
  constexpr std::uint64_t kOffsetBasis = 0xcbf29ce484222325ULL;
  constexpr std::uint64_t kPrime = 0x100000001b3ULL;
  std::uint64_t hash = kOffsetBasis;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= kPrime;
  }
  return hash;
}

int shard_of(const ImageId& image, int count) {
  constexpr std::uint64_t kMultiplier = 2862933555777941757ULL;  // the paper's linear congruential generator
  std::uint64_t key = stable_hash(image.str());
  std::int64_t shard = -1;
  std::int64_t jump = 0;
  while (jump < count) {
    shard = jump;
    key = key * kMultiplier + 1;
    const double span = static_cast<double>(1LL << 31U) / static_cast<double>((key >> 33U) + 1);
    jump = static_cast<std::int64_t>(static_cast<double>(shard + 1) * span);
  }
  return static_cast<int>(shard);
}

}  // namespace sharedrift
