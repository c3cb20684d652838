// Where detection itself may be broken: mass changes and the canary.

#include "core/tracker.hpp"
#include "support/fleet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::an_image;
using testing::failed;
using testing::Fleet;
using ::testing::IsEmpty;
using testing::listed;

TEST(Tracker, HoldsTheClearsOfAMassChange) {
  for (const int confirm : {1, 2}) {
    std::vector<testing::ImageBuilder> images;
    for (int i = 0; i < 10; ++i)
      images.push_back(an_image("m-" + std::to_string(i)).allowing({1}));
    Fleet fleet(images, confirm);
    fleet.apply_all(listed({1, 9}));
    fleet.advance(5min);
    const std::vector<Event> events = fleet.apply_all(listed({}));  // all ten lose accounts at once
    EXPECT_EQ(std::count_if(events.begin(), events.end(),
                            [](const Event& e) { return e.type == EventType::mass_change_held; }),
              1);
    EXPECT_EQ(fleet.tracker().clears_held(), 20);
    EXPECT_EQ(fleet.view("m-3")->unexpected_accounts, 1);
    for (int i = 1; i < confirm; ++i) {
      fleet.apply_all(listed({}));
      EXPECT_EQ(fleet.view("m-3")->unexpected_accounts, 1) << "the massive cycle does not count";
    }
    fleet.apply_all(listed({}));
    EXPECT_EQ(fleet.view("m-3")->unexpected_accounts, 0) << "what is still absent clears as usual";
    EXPECT_EQ(fleet.tracker().clears_held(), 0);
  }
}

TEST(Tracker, AKeyOfAnotherAccountClosesNothingWithinTheMassiveCycle) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).requiring({1, 2}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({1, 9}));
  ASSERT_EQ(fleet.view("m-3")->missing_accounts, 1);
  Observation gone = failed(Reason::image_gone);
  gone.gone = true;
  fleet.apply_all(gone);  // every image at once: the inventory is not ours
  EXPECT_EQ(fleet.view("m-3")->unexpected_accounts, 1);
  EXPECT_EQ(fleet.view("m-3")->missing_accounts, 1);
}

TEST(Tracker, WhatAMassChangeSaidOfAnImageWithoutAccountsDoesNotCountEither) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).requiring({1}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({}));  // shared with nobody: 1 is missing everywhere
  ASSERT_EQ(fleet.view("m-3")->missing_accounts, 1);
  Observation gone = failed(Reason::image_gone);
  gone.gone = true;
  const std::vector<Event> events = fleet.apply_all(gone);
  EXPECT_EQ(std::count_if(events.begin(), events.end(),
                          [](const Event& e) { return e.type == EventType::mass_change_held; }),
            1)
      << "ten images that were there are gone at once";
  EXPECT_EQ(fleet.view("m-3")->missing_accounts, 1) << "the cycle is over, and what it said is void";
  fleet.apply_all(gone);
  EXPECT_EQ(fleet.view("m-3")->missing_accounts, 0) << "what is still so clears as usual";
}

TEST(Tracker, AnImageThatWasNeverThereAddsToNoMassChange) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).requiring({1}));
  Fleet fleet(images, 1);
  Observation gone = failed(Reason::image_gone);
  gone.gone = true;
  const std::vector<Event> events = fleet.apply_all(gone);
  EXPECT_EQ(std::count_if(events.begin(), events.end(),
                          [](const Event& e) { return e.type == EventType::mass_change_held; }),
            0)
      << "ten mistyped ids are no loss";
}

TEST(Tracker, WhoIsMissingIsShownAsMissingAndNotAsHeld) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).requiring({1}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({1}));
  const WallTime seen = fleet.now().wall;
  fleet.advance(5min);
  fleet.apply_all(listed({}));
  ASSERT_EQ(fleet.tracker().clears_held(), 10) << "that it has no access is not believed yet";
  ASSERT_EQ(fleet.view("m-3")->missing_accounts, 1) << "but a listing lacks it, and nobody holds that back";
  const DriftView drift = fleet.view("m-3")->drifts.front();
  EXPECT_FALSE(drift.held || drift.clearing);
  EXPECT_FALSE(drift.first_seen || drift.not_before);
  EXPECT_EQ(drift.last_seen, seen);
}

TEST(Tracker, JitterCutsNoMassChangeInTwo) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({1}));
  Fleet fleet(images, 1);
  const auto poll = [&fleet](int from, int to, const Observation& seen) {
    for (int i = from; i < to; ++i) {
      fleet.advance(2ms);
      fleet.apply("m-" + std::to_string(i), seen);
    }
  };
  poll(0, 10, listed({1, 9}));
  fleet.advance(5min - 20ms);  // the next cycle comes exactly one interval after the one before
  poll(0, 6, listed({1, 9}));
  poll(6, 8, listed({1}));
  fleet.advance(20s);  // the others are late
  poll(8, 10, listed({1}));
  EXPECT_EQ(fleet.tracker().clears_held(), 4) << "four of ten, not two and two";
  EXPECT_TRUE(fleet.view("m-7")->drifts.front().held);
  EXPECT_FALSE(fleet.view("m-7")->drifts.front().clearing) << "it begins anew";
  EXPECT_FALSE(fleet.view("m-1")->drifts.front().held);
  EXPECT_EQ(fleet.view("m-7")->unexpected_accounts, 1);
}

TEST(Tracker, ACycleThatNeverEndsByItselfEndsByTime) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({1}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({1, 9}));
  fleet.apply("m-0", listed({1}));  // nobody polls the others
  EXPECT_EQ(fleet.view("m-0")->unexpected_accounts, 1);
  fleet.advance(5min + 75s);
  EXPECT_LE(fleet.tracker().next_deadline(), fleet.now().mono);
  const Step step = fleet.tick();
  EXPECT_EQ(fleet.view("m-0")->unexpected_accounts, 0) << "one of ten is no mass change";
  ASSERT_EQ(step.changed.size(), 1U) << "what it changed is shown and saved, and no more";
  EXPECT_EQ(step.changed.front().view->policy->id.str(), "m-0");
  EXPECT_TRUE(step.changed.front().urgent);
}

TEST(Tracker, WhatElseIsDueEndsNoCycle) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({1}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({1, 9}));
  for (int i = 0; i < 10; ++i) {
    fleet.apply("m-" + std::to_string(i), listed({1}));
    fleet.advance(1s);
    EXPECT_THAT(fleet.tick().events, IsEmpty()) << "so few images, so soon, are no cycle";
  }
  EXPECT_EQ(fleet.tracker().clears_held(), 10) << "all ten at once, not one after the other";
  EXPECT_EQ(fleet.view("m-0")->unexpected_accounts, 1);
}

TEST(Tracker, RaisesPassWhileClearsAreHeld) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({1}));
  Fleet fleet(images);
  fleet.apply_all(listed({1, 9}));
  fleet.apply_all(listed({8}));
  ASSERT_EQ(fleet.tracker().clears_held(), 20);
  EXPECT_EQ(fleet.view("m-3")->unexpected_accounts, 2);
}

TEST(Tracker, AReloadNeitherEndsACycleNorHidesItsLosses) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 20; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({1}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({1, 9}));
  for (int i = 0; i < 10; ++i)
    fleet.apply("m-" + std::to_string(i), listed({1}));
  images.erase(images.begin(), images.begin() + 8);  // ten of twenty were polled, eight of them go
  fleet.reconfigure(images);
  for (int i = 10; i < 20; ++i) {
    EXPECT_EQ(fleet.view("m-8")->unexpected_accounts, 1) << "the cycle is not over";
    fleet.apply("m-" + std::to_string(i), listed({1}));
  }
  EXPECT_EQ(fleet.tracker().clears_held(), 12);
  EXPECT_EQ(fleet.view("m-8")->unexpected_accounts, 1);
}

TEST(Tracker, AnImageThatGoesTakesItsOwnLossWithItAndNoOther) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 15; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({1}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({1, 9}));
  images.pop_back();  // one that lost nothing
  fleet.reconfigure(images);
  for (int i = 0; i < 3; ++i)
    fleet.apply("m-" + std::to_string(i), listed({1}));  // three of fourteen are too many
  images.erase(images.begin(), images.begin() + 2);      // but two of them go
  fleet.reconfigure(images);
  for (int i = 3; i < 14; ++i)
    fleet.apply("m-" + std::to_string(i), listed({1, 9}));
  EXPECT_EQ(fleet.tracker().clears_held(), 0);
  EXPECT_EQ(fleet.view("m-2")->unexpected_accounts, 0) << "one of twelve is no mass change";
}

TEST(Tracker, LetsAFewClearsPass) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({1}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({1, 9}));
  for (int i = 0; i < 10; ++i)
    fleet.apply("m-" + std::to_string(i), i < 2 ? listed({1}) : listed({1, 9}));
  EXPECT_EQ(fleet.view("m-0")->unexpected_accounts, 0);
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 0);
  EXPECT_EQ(fleet.view("m-2")->unexpected_accounts, 1);
}

TEST(Tracker, AHeldClearThatFlapsStartsAnew) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({1}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({1, 9}));
  fleet.apply_all(listed({1}));
  ASSERT_EQ(fleet.tracker().clears_held(), 10);
  fleet.apply("m-0", listed({1, 9}));
  EXPECT_EQ(fleet.tracker().clears_held(), 9);
  EXPECT_EQ(fleet.view("m-0")->counters.flaps, 1U);
}

TEST(Tracker, ACanaryMustSing) {
  Fleet fleet({an_image("m-1").allowing({}).as_canary()});
  EXPECT_THAT(fleet.types(fleet.apply("m-1", listed({9}))), IsEmpty());
  fleet.apply("m-1", listed({}));
  EXPECT_EQ(fleet.count(fleet.apply("m-1", listed({})), EventType::canary_lost), 1U);
  EXPECT_EQ(fleet.count(fleet.apply("m-1", listed({9})), EventType::canary_restored), 1U);
  EXPECT_EQ(fleet.view("m-1")->counters.opened[0], 0U) << "a canary is not drift";
}

TEST(Tracker, ACanarySingsAgainWhenItsExceptionEnds) {
  Fleet fleet({an_image("m-1").excepting(9, Fleet::kStart + 1h).as_canary()}, 1);
  EXPECT_EQ(fleet.count(fleet.apply("m-1", listed({9})), EventType::canary_lost), 1U)
      << "its drift is allowed";
  fleet.advance(1h);
  EXPECT_EQ(fleet.count(fleet.tick(), EventType::canary_restored), 1U) << "nobody has to poll for it";
}

TEST(Tracker, ACanaryThatNeverSangIsLost) {
  Fleet fleet({an_image("m-1").allowing({}).as_canary()});
  EXPECT_EQ(fleet.count(fleet.apply("m-1", listed({})), EventType::canary_lost), 0U);
  EXPECT_EQ(fleet.count(fleet.apply("m-1", listed({})), EventType::canary_lost), 1U);
}

}  // namespace
}  // namespace sharedrift
