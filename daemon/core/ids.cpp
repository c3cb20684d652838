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

}  // namespace sharedrift
