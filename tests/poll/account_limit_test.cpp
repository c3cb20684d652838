#include "poll/account_limit.hpp"

#include "support/fake_source.hpp"
#include "support/fleet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::an_image;
using ::testing::HasSubstr;

/// Two images, and room for ten accounts beside ten of each.
class AccountLimitTest : public ::testing::Test {
 protected:
  AccountLimitTest() {
    WatchList watch;
    for (const char* id : {"m-1", "m-2"})
      watch.images.push_back(an_image(id).allowing({}).build());
    Step start;
    tracker = std::make_unique<Tracker>(watch, SavedState{}, now, start);
  }
  /// Hands the image's list over, accounts `first` to `last`, and returns what is taken of it.
  Observation take(const char* id, int first, int last) {
    std::vector<AccountId> accounts;
    for (int number = first; number <= last; ++number)
      accounts.push_back(testing::account(number));
    std::sort(accounts.begin(), accounts.end());
    Observation listing = testing::listed(accounts);
    if (auto cut = limit.cut(*tracker, *ImageId::parse(id), listing)) listing = std::move(*cut);
    tracker->apply(*ImageId::parse(id), listing, now);
    return listing;
  }
  [[nodiscard]] std::size_t known(const char* id) const {
    return tracker->image(*ImageId::parse(id)).sightings().size();
  }

  Instant now{MonoTime{std::chrono::hours{1}}, WallTime{Millis{1'795'000'000'000}}};
  std::unique_ptr<Tracker> tracker;
  AccountLimit limit{10};
};

TEST_F(AccountLimitTest, WhatThereIsRoomForIsTakenWhole) {
  EXPECT_TRUE(take("m-1", 1, 15).complete);
  EXPECT_TRUE(take("m-2", 1, 5).complete);
  EXPECT_TRUE(take("m-1", 1, 15).complete) << "who is known needs no other room";
}

TEST_F(AccountLimitTest, BeyondItNothingIsProvenAndNothingThatWasSeenIsLost) {
  ASSERT_TRUE(take("m-1", 1, 15).complete);
  const Observation cut = take("m-2", 100, 199);
  EXPECT_FALSE(cut.complete);
  EXPECT_EQ(cut.failure.reason, Reason::too_large);
  EXPECT_THAT(cut.failure.detail,
              HasSubstr("10 are remembered of all images, beside those of its own entry"));
  EXPECT_EQ(known("m-1") + known("m-2"), 30U);
  EXPECT_EQ(cut.unlisted(), 85) << "how many are left out stays visible";
  EXPECT_FALSE(take("m-2", 300, 399).complete) << "nor do others come in their place";
  EXPECT_EQ(known("m-2"), 15U);
  EXPECT_TRUE(take("m-1", 1, 15).complete) << "and the other image is judged as before";
  EXPECT_EQ(tracker->view(*ImageId::parse("m-1"), now)->unexpected_accounts, 15);
}

TEST_F(AccountLimitTest, WhomTheImagesOwnEntryNamesHasRoom) {
  WatchList watch;
  for (const char* id : {"m-1", "m-2"})
    watch.images.push_back(
        an_image(id).allowing({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}).build());
  Step reload;
  tracker = std::make_unique<Tracker>(watch, SavedState{}, now, reload);
  EXPECT_TRUE(take("m-1", 1, 15).complete);
  EXPECT_TRUE(take("m-2", 1, 25).complete) << "ten more, for which there is room beside";
  EXPECT_FALSE(take("m-1", 1, 16).complete);
}

TEST_F(AccountLimitTest, WhatIsGoneMakesRoom) {
  take("m-1", 1, 20);
  EXPECT_FALSE(take("m-2", 100, 119).complete);
  for (int i = 0; i < 3; ++i)
    take("m-1", 1, 5);
  ASSERT_EQ(known("m-1"), 5U);
  EXPECT_TRUE(take("m-2", 100, 119).complete);
}

TEST_F(AccountLimitTest, WhoFillsItWithOneImageHidesNothingOfAnother) {
  take("m-1", 1, 100);
  EXPECT_EQ(known("m-1"), 20U);
  EXPECT_TRUE(take("m-2", 200, 209).complete);
  EXPECT_EQ(known("m-2"), 10U);
}

}  // namespace
}  // namespace sharedrift
