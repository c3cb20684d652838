// What time alone does: zeros that go stale, exceptions that end.

#include "core/tracker.hpp"
#include "core/verdict.hpp"
#include "support/fleet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::an_image;
using ::testing::ElementsAre;
using testing::failed;
using testing::Fleet;
using testing::listed;

TEST(Tracker, WithdrawsAZeroWhoseProofIsOldAndKeepsTheRest) {
  Fleet fleet({an_image("m-1").allowing({1}), an_image("m-2").allowing({1})});
  fleet.apply("m-1", listed({1}));
  fleet.apply("m-2", listed({1, 9}));
  fleet.advance(14min);
  fleet.tick();
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 0);
  fleet.advance(1min);
  EXPECT_LE(fleet.tracker().next_deadline(), fleet.now().mono);
  const Step step = fleet.tick();
  EXPECT_EQ(step.changed.size(), 2U);
  EXPECT_FALSE(fleet.view("m-1")->unexpected_accounts);
  EXPECT_FALSE(fleet.view("m-1")->missing_accounts);
  EXPECT_EQ(fleet.view("m-1")->shared_accounts, 1) << "above zero stays until proven otherwise";
  EXPECT_EQ(fleet.view("m-2")->unexpected_accounts, 1);
  fleet.apply("m-1", listed({1}));
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 0);
}

TEST(Tracker, AZeroGrowsOldByItsImagesOwnStaleAfter) {
  Fleet fleet({an_image("m-1").stale_after(90min), an_image("m-2")});
  for (const char* image : {"m-1", "m-2"})
    fleet.apply(image, listed({}));
  fleet.advance(15min);
  fleet.tick();
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 0);
  EXPECT_FALSE(fleet.view("m-2")->unexpected_accounts);
  EXPECT_EQ(judge(*fleet.view("m-1"), fleet.now().wall).verdict, Verdict::in_sync);
  EXPECT_EQ(judge(*fleet.view("m-2"), fleet.now().wall).verdict, Verdict::unknown);
  fleet.advance(75min - 1ms);
  EXPECT_TRUE(fleet.tick().changed.empty());
  fleet.advance(1ms);
  EXPECT_LE(fleet.tracker().next_deadline(), fleet.now().mono);
  fleet.tick();
  EXPECT_FALSE(fleet.view("m-1")->unexpected_accounts);
  fleet.advance(1ms);
  EXPECT_EQ(judge(*fleet.view("m-1"), fleet.now().wall).verdict, Verdict::unknown);
}

TEST(Tracker, NobodyIsWokenForAnImageThatIsNotWatchedAnyMore) {
  Fleet fleet({an_image("m-1").allowing({1}), an_image("m-2")});
  fleet.apply("m-1", listed({1}));
  fleet.reconfigure({an_image("m-2")});
  EXPECT_EQ(fleet.tracker().next_deadline(), MonoTime::max());
  fleet.advance(15min);
  EXPECT_TRUE(fleet.tick().changed.empty());
}

TEST(Tracker, HasNothingToTellAtADeadlineThatHasMovedAway) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1}));
  const MonoTime first = fleet.tracker().next_deadline();
  fleet.advance(14min);
  fleet.apply("m-1", listed({1}));
  fleet.advance(1min);
  EXPECT_LE(fleet.now().mono, first);
  const Step early = fleet.tick();
  EXPECT_TRUE(early.changed.empty() && early.events.empty());
  EXPECT_EQ(fleet.tracker().next_deadline(), first + 14min) << "nobody is woken twice for nothing";
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 0);
  fleet.advance(14min);
  EXPECT_EQ(fleet.tick().changed.size(), 1U);
  EXPECT_FALSE(fleet.view("m-1")->unexpected_accounts);
}

// PROOF.md's table "While nobody can see", row by row: an image in sync and one in drift, polled every five
// minutes.
TEST(Tracker, TheTimelineOfABlindImage) {
  const auto watched = [] {
    return std::vector{an_image("m-1").allowing({1, 2}).requiring({3}),
                       an_image("m-2").allowing({1}).requiring({3})};
  };
  Fleet fleet(watched());
  const auto claims = [](const ImageView& view) {
    return view.unexpected_accounts == 0 && view.missing_accounts == 0 && view.unlisted_accounts == 0 &&
           view.unexpected_accounts_min == 0;
  };
  const auto withdrawn = [](const ImageView& view) {
    return !view.unexpected_accounts && !view.missing_accounts && !view.unlisted_accounts &&
           !view.unexpected_accounts_min;
  };
  const auto drift_stays = [&fleet] {
    return fleet.view("m-2")->unexpected_accounts == 1 && fleet.view("m-2")->missing_accounts == 1;
  };
  fleet.apply("m-2", listed({1, 9}));
  fleet.apply("m-2", listed({1, 9}));
  fleet.apply("m-1", listed({1, 3}));
  const WallTime proof = fleet.now().wall;
  EXPECT_TRUE(claims(*fleet.view("m-1"))) << "the proof is fresh";
  EXPECT_TRUE(drift_stays());
  for (int minutes = 5; minutes <= 10; minutes += 5) {
    fleet.advance(5min);
    fleet.apply("m-1", failed(Reason::throttled));
    fleet.apply("m-2", failed(Reason::throttled));
    EXPECT_TRUE(claims(*fleet.view("m-1"))) << "the proof is not old yet";
    EXPECT_EQ(fleet.view("m-1")->state, ImageState::unreachable) << "but the state says it at once";
    EXPECT_FALSE(fleet.view("m-1")->listing_complete);
    EXPECT_TRUE(drift_stays());
  }
  fleet.advance(5min - 1ms);
  fleet.tick();
  EXPECT_TRUE(claims(*fleet.view("m-1"))) << "a millisecond before stale_after";
  fleet.advance(1ms);
  EXPECT_LE(fleet.tracker().next_deadline(), fleet.now().mono) << "nobody has to poll or look for it";
  EXPECT_EQ(fleet.tick().changed.size(), 2U);
  for (const Millis later : {Millis{0}, Millis{24h}, Millis{90 * 24h}}) {
    fleet.advance(later);
    fleet.tick();
    fleet.apply("m-1", failed(Reason::throttled));
    const auto view = fleet.view("m-1");
    EXPECT_TRUE(withdrawn(*view)) << "every 0 is";
    EXPECT_EQ(view->shared_accounts, 2) << "above 0 stays";
    EXPECT_EQ(view->unused_entries, 1);
    EXPECT_EQ(view->allowed_accounts, 3U) << "of the config, which nobody doubts";
    EXPECT_EQ(view->last_complete, proof);
    EXPECT_EQ(view->last_poll, fleet.now().wall);
    EXPECT_TRUE(drift_stays());
  }
  Fleet after(watched(), fleet.save(), 1min);
  EXPECT_TRUE(withdrawn(*after.view("m-1"))) << "a restart makes no proof younger";
  EXPECT_EQ(after.view("m-2")->unexpected_accounts, 1);
  fleet.apply("m-1", listed({1, 3}));
  EXPECT_TRUE(claims(*fleet.view("m-1"))) << "one proof brings them back";
  fleet.apply("m-2", listed({1, 3}));
  EXPECT_EQ(fleet.view("m-2")->unexpected_accounts, 1) << "and begins to clear";
  EXPECT_EQ(fleet.view("m-2")->missing_accounts, 0) << "one row ends what is missing";
  fleet.apply("m-2", listed({1, 3}));
  EXPECT_TRUE(claims(*fleet.view("m-2")));
}

TEST(Tracker, StalenessDoesNotFollowTheWallClock) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1}));
  fleet.jump_wall(-48h);
  fleet.tick();
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 0);
  fleet.advance(15min);
  fleet.tick();
  EXPECT_FALSE(fleet.view("m-1")->unexpected_accounts) << "a clock put back cannot keep a claim alive";
}

TEST(Tracker, AnExceptionEndsByTheLaterOfTwoClocks) {
  const auto expires = Fleet::kStart + 1h;
  Fleet fleet({an_image("m-1").allowing({1}).excepting(7, expires)});
  fleet.apply("m-1", listed({1, 7}));
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 0);
  Observation seen = listed({1, 7});
  seen.server_time = expires + 10s;  // our clock is an hour behind
  const Step step = fleet.apply("m-1", seen);
  EXPECT_THAT(fleet.types(step), ElementsAre(EventType::exception_expired, EventType::drift_opened));
  EXPECT_EQ(step.events.back().text("reason"), "exception_expired");
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 1);
}

TEST(Tracker, AnExceptionEndsWithoutAnotherPoll) {
  Fleet fleet({an_image("m-1").allowing({1}).excepting(7, Fleet::kStart + 10min)});
  fleet.apply("m-1", listed({1, 7}));
  fleet.advance(10min);
  EXPECT_LE(fleet.tracker().next_deadline(), fleet.now().mono);
  EXPECT_THAT(fleet.types(fleet.tick()), ElementsAre(EventType::exception_expired, EventType::drift_opened));
}

TEST(Tracker, WhatIsListedWhenAnExceptionEndsBeginsForItsOwnReason) {
  Fleet fleet({an_image("m-1").allowing({1}).excepting(7, Fleet::kStart + 10min)});
  fleet.apply("m-1", listed({1, 7}));
  fleet.advance(10min);
  const Step step = fleet.apply("m-1", listed({1, 7, 9}));
  ASSERT_THAT(fleet.types(step),
              ElementsAre(EventType::exception_expired, EventType::drift_opened, EventType::drift_opened));
  EXPECT_EQ(step.events[1].text("reason"), "exception_expired");
  EXPECT_EQ(step.events[2].text("reason"), "listed");
}

TEST(Tracker, NoClockTakesBackTheEndOfAnException) {
  const auto expires = Fleet::kStart + 10min;
  const auto image = [expires] { return an_image("m-1").allowing({1}).excepting(7, expires); };
  Fleet fleet({image()});
  fleet.apply("m-1", listed({1, 7}));
  fleet.advance(10min);
  fleet.tick();
  ASSERT_EQ(fleet.view("m-1")->unexpected_accounts, 1);
  fleet.jump_wall(-24h);
  EXPECT_EQ(fleet.count(fleet.apply("m-1", failed(Reason::throttled)), EventType::drift_closed), 0U);
  EXPECT_EQ(fleet.count(fleet.reconfigure({image()}), EventType::drift_closed), 0U);
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 1) << "nobody else said what the time is";
  Fleet after({image()}, fleet.save(), 1min);
  EXPECT_EQ(after.view("m-1")->unexpected_accounts, 1) << "not by a restart either";
  EXPECT_EQ(after.view("m-1")->allowed_accounts, 1U);
  Observation seen = listed({1, 7});
  seen.server_time = after.now().wall;  // the API agrees with the local clock: it had run ahead before
  const Step step = after.apply("m-1", seen);
  ASSERT_EQ(step.events.front().type, EventType::drift_closed);
  EXPECT_EQ(step.events.front().text("reason"), "allowed_by_config");
}

TEST(Tracker, AnExceptionToTheEndOfTheCalendarIsFarAway) {
  const WallTime end{Millis{253'402'300'799'999}};  // of the year 9999
  Fleet fleet({an_image("m-1").excepting(7, end)});
  EXPECT_GT(fleet.tracker().next_deadline(), fleet.now().mono + 24h);
  fleet.apply("m-1", listed({7}));
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 0);
}

}  // namespace
}  // namespace sharedrift
