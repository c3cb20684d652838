#include "core/owned_images.hpp"

#include "support/fakes.hpp"
#include "support/image_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::image_number;
using ::testing::IsEmpty;
using testing::owned;
using ::testing::SizeIs;

InventoryListing proven(std::initializer_list<int> numbers) {
  InventoryListing listing;
  listing.complete = true;
  for (const int number : numbers)
    listing.rows.push_back(owned(number, "image-" + std::to_string(number)));
  return listing;
}
InventoryListing broken(std::initializer_list<int> numbers) {
  InventoryListing listing = proven(numbers);
  listing.complete = false;
  listing.failure = make_failure(Reason::throttled, "test");
  return listing;
}

struct Account {
  OwnedImages::News take(const InventoryListing& seen) {
    clock.advance(5min);
    return images.take(seen, clock.now(), rules);
  }
  [[nodiscard]] bool proves(int number) const {
    return images.proves(image_number(number), clock.mono(), rules);
  }
  [[nodiscard]] bool knows(int number) const { return images.images().contains(image_number(number)); }
  testing::ManualClock clock;
  OwnedImages::Rules rules{5min, 2, 20};
  OwnedImages images;
};

TEST(OwnedImages, PresenceIsCheap) {
  Account account;
  EXPECT_THAT(account.take(broken({1, 2})).came, ElementsAre(image_number(1), image_number(2)));
  EXPECT_TRUE(account.knows(1));
  EXPECT_FALSE(account.proves(1)) << "no proven inventory lists it";
  EXPECT_FALSE(account.images.is_proven(account.clock.mono(), account.rules));
}

TEST(OwnedImages, ThereIsRoomForANumberAndWhoIsKnownStays) {
  Account account;
  account.rules.most = 3;
  account.take(proven({1, 2}));
  const WallTime whole = account.clock.wall();
  EXPECT_THAT(account.take(proven({1, 2, 3, 4, 5})).came, ElementsAre(image_number(3)));
  EXPECT_EQ(account.images.left_out(), 2U);
  EXPECT_TRUE(account.knows(1));
  EXPECT_FALSE(account.knows(4));
  EXPECT_EQ(account.images.last_complete(), whole)
      << "an inventory that does not fit in is no proof of what is owned";
  account.take(broken({1, 2, 3, 4}));
  EXPECT_EQ(account.images.left_out(), 2U) << "a walk that broke off makes nothing fewer";
  account.take(proven({1, 2, 4, 5}));
  EXPECT_THAT(account.take(proven({1, 2, 4, 5})).left, ElementsAre(image_number(3)))
      << "it proves what it lacks";
  EXPECT_THAT(account.take(proven({1, 2, 4})).came, ElementsAre(image_number(4)));
  EXPECT_EQ(account.images.left_out(), 0U);
  EXPECT_EQ(account.images.last_complete(), account.clock.wall());
}

TEST(OwnedImages, AbsenceNeedsSeveralProvenInventoriesInARow) {
  Account account;
  account.take(proven({1, 2}));
  EXPECT_THAT(account.take(proven({1})).left, IsEmpty());
  EXPECT_TRUE(account.knows(2));
  EXPECT_FALSE(account.proves(2)) << "the last one lacks it";
  account.take(broken({}));
  EXPECT_THAT(account.take(broken({1})).left, IsEmpty()) << "a broken walk neither counts nor resets";
  EXPECT_THAT(account.take(proven({1})).left, ElementsAre(image_number(2)));
  EXPECT_FALSE(account.knows(2));
}

TEST(OwnedImages, ARowInABrokenWalkBeginsTheCountAnew) {
  Account account;
  account.take(proven({1, 2}));
  account.take(proven({1}));
  account.take(broken({2}));
  EXPECT_THAT(account.take(proven({1})).left, IsEmpty());
  EXPECT_THAT(account.take(proven({1})).left, ElementsAre(image_number(2)));
}

TEST(OwnedImages, AnInventoryProvesForThreeIntervals) {
  Account account;
  account.take(proven({1}));
  account.clock.advance(15min);
  EXPECT_TRUE(account.proves(1));
  EXPECT_FALSE(account.proves(2));
  account.clock.advance(1ms);
  EXPECT_FALSE(account.proves(1));
}

TEST(OwnedImages, AMassChangeIsConfirmedFromTheNextInventoryOn) {
  Account account;
  account.take(proven({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_THAT(account.take(proven({0, 1, 2, 3, 4})).left, IsEmpty());
  EXPECT_THAT(account.take(proven({0, 1, 2, 3, 4})).left, IsEmpty()) << "this is the first that counts";
  EXPECT_THAT(account.take(proven({0, 1, 2, 3, 4})).left, SizeIs(5));
}

TEST(OwnedImages, AMassChangeIsMoreThanItsPercentOfTenImagesOrMore) {
  Account account;
  account.rules.confirm_clears = 1;
  account.take(proven({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_THAT(account.take(proven({0, 1, 2, 3, 4, 5, 6, 7})).left, SizeIs(2))
      << "a fifth is not more than 20 %";
  EXPECT_THAT(account.take(proven({0, 1})).left, SizeIs(6)) << "of eight";
}

TEST(OwnedImages, ThoseThatWereMissedBeforeAreNoPartOfAMassChange) {
  Account account;
  account.take(proven({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  account.take(proven({2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_THAT(account.take(proven({4, 5, 6, 7, 8, 9})).left, SizeIs(2)) << "two in one, and two in the next";
}

TEST(OwnedImages, ABrokenWalkTakesNoProofAway) {
  Account account;
  account.take(proven({1, 2}));
  account.take(broken({1}));
  EXPECT_TRUE(account.proves(1));
  EXPECT_TRUE(account.proves(2));
}

TEST(OwnedImages, TheLastCompleteOneIsShownWhateverBreaksAfterIt) {
  Account account;
  EXPECT_FALSE(account.images.last_complete());
  account.take(proven({1}));
  const WallTime complete = account.clock.wall();
  account.take(broken({1}));
  EXPECT_EQ(account.images.last_complete(), complete);
}

TEST(OwnedImages, WhatWasMadeWhenIsKeptWhereARowDoesNotSay) {
  Account account;
  InventoryListing dated = proven({1});
  const WallTime created{Millis{1'700'000'000'000}};
  dated.rows[0].created = created;
  account.take(proven({1}));
  account.take(dated);
  EXPECT_EQ(account.images.images().begin()->second.created, created);
  account.take(proven({1}));
  EXPECT_EQ(account.images.images().begin()->second.created, created);
}

TEST(OwnedImages, AnEmptyInventoryOfAnotherKeyRemovesNothingAtOnce) {
  Account account;
  account.rules.confirm_clears = 1;
  account.take(proven({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_THAT(account.take(proven({})).left, IsEmpty());
  account.take(proven({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_THAT(account.take(proven({})).left, IsEmpty());
  EXPECT_THAT(account.images.images(), SizeIs(10));
}

TEST(OwnedImages, AnotherAccountsImageIsNotOwned) {
  Account account;
  InventoryListing listing = proven({1, 2});
  listing.rows[1].ours = false;
  EXPECT_THAT(account.take(listing).came, ElementsAre(image_number(1)));
  account.take(proven({1, 2}));
  ASSERT_TRUE(account.knows(2));
  account.take(listing);
  EXPECT_THAT(account.take(listing).left, ElementsAre(image_number(2)));
}

TEST(OwnedImages, TellsANewNameOnce) {
  Account account;
  account.take(proven({1}));
  InventoryListing renamed = proven({1});
  renamed.rows[0].name = "another";
  EXPECT_THAT(account.take(renamed).renamed, ElementsAre(std::pair(image_number(1), std::string("image-1"))));
  EXPECT_THAT(account.take(renamed).renamed, IsEmpty());
  EXPECT_EQ(account.images.images().begin()->second.name, "another");
  renamed.rows[0].name.clear();
  EXPECT_THAT(account.take(renamed).renamed, IsEmpty()) << "no name is no new one";
  EXPECT_EQ(account.images.images().begin()->second.name, "another");
}

}  // namespace
}  // namespace sharedrift
