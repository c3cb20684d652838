#include "core/shard.hpp"

namespace sharedrift {

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
