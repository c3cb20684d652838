#include "core/ids.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

constexpr int kImages = 20'000;
ImageId id(int n) {
  return *ImageId::parse("m-" + std::to_string(n));
}

TEST(Shard, EveryImageIsInExactlyOneAndTheyAreEven) {
  for (const int count : {1, 3, 7}) {
    std::map<int, int> sizes;
    for (int n = 0; n < kImages; ++n)
      ++sizes[shard_of(id(n), count)];
    ASSERT_EQ(sizes.size(), static_cast<std::size_t>(count));
    EXPECT_EQ(sizes.begin()->first, 0);
    for (const auto& [shard, size] : sizes)
      EXPECT_NEAR(size, kImages / count, kImages / count / 10) << shard;
  }
}

TEST(Shard, MoreShardsMoveOnlyWhatTheyMust) {
  int moved = 0;
  for (int n = 0; n < kImages; ++n) {
    const int before = shard_of(id(n), 3);
    const int after = shard_of(id(n), 7);
    if (before == after) continue;
    ++moved;
    EXPECT_GE(after, 3) << "what moves goes to a new shard";
  }
  EXPECT_NEAR(moved, kImages * 4 / 7, kImages / 50);
}

TEST(Shard, NeverChanges) {  // a release that reshuffles shards would lose every fleet its counters
  std::string first;
  for (int n = 0; n < 16; ++n)
    first += std::to_string(shard_of(id(n), 7));
  EXPECT_EQ(first, "6602664056044650");
  EXPECT_EQ(shard_of(id(24'553'314), 45), 1) << "of 46 it is in the new one: the last digit decides";
}

}  // namespace
}  // namespace sharedrift
