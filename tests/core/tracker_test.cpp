#include "core/tracker.hpp"

#include "support/fleet.hpp"

#include <functional>
#include <limits>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::account;
using testing::an_image;
using testing::broken;
using ::testing::ElementsAre;
using testing::failed;
using testing::Fleet;
using ::testing::IsEmpty;
using testing::listed;

TEST(Tracker, ClaimsNothingBeforeTheFirstListing) {
  Fleet fleet({an_image("m-1").allowing({1})});
  const auto view = fleet.view("m-1");
  EXPECT_EQ(view->state, ImageState::never_read);
  EXPECT_FALSE(view->unexpected_accounts);
  EXPECT_FALSE(view->missing_accounts);
  EXPECT_FALSE(view->shared_accounts);
  EXPECT_EQ(view->allowed_accounts, 1U);
}

TEST(Tracker, IsCleanWhenTheListingIs) {
  Fleet fleet({an_image("m-1").allowing({1, 2})});
  const Step step = fleet.apply("m-1", listed({1}));
  EXPECT_THAT(step.events, IsEmpty());
  const auto view = fleet.view("m-1");
  EXPECT_EQ(view->state, ImageState::ok);
  EXPECT_EQ(view->unexpected_accounts, 0);
  EXPECT_EQ(view->missing_accounts, 0);
  EXPECT_EQ(view->shared_accounts, 1);
  EXPECT_EQ(view->unused_entries, 1);
}

TEST(Tracker, RaisesOnTheFirstSighting) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1}));
  fleet.advance(5min);
  const Step step = fleet.apply("m-1", listed({1, 9}));
  ASSERT_EQ(step.events.size(), 1U);
  const Event& event = step.events.front();
  EXPECT_EQ(event.type, EventType::drift_opened);
  EXPECT_EQ(event.text("account_id"), account(9).str());
  EXPECT_EQ(event.text("kind"), "unexpected");
  EXPECT_EQ(event.text("first_run"), "false");
  EXPECT_EQ(event.text("not_before"), format_rfc3339(fleet.now().wall - 5min));
  EXPECT_EQ(event.text("first_seen"), format_rfc3339(fleet.now().wall));
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 1);
  EXPECT_EQ(fleet.view("m-1")->counters.opened[0], 1U);
}

TEST(Tracker, MarksWhatTheFirstPollFinds) {
  Fleet fleet({an_image("m-1").allowing({})});
  const Step step = fleet.apply("m-1", listed({9}));
  ASSERT_EQ(step.events.size(), 1U);
  EXPECT_EQ(step.events.front().text("first_run"), "true");
  EXPECT_EQ(step.events.front().find("not_before"), nullptr) << "nobody knows since when";
}

TEST(Tracker, RaisesFromAListingThatBrokeOff) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1}));
  fleet.apply("m-1", broken({9}, Reason::timeout));
  const auto view = fleet.view("m-1");
  EXPECT_EQ(view->unexpected_accounts, 1);
  EXPECT_EQ(view->state, ImageState::incomplete);
  EXPECT_FALSE(view->listing_complete);
}

TEST(Tracker, ACountBeyondTheAllowListBoundsWhatCannotBeRead) {
  Fleet fleet({an_image("m-1").allowing({1, 2}).requiring({3})});
  EXPECT_FALSE(fleet.view("m-1")->unexpected_count_bound);
  Observation cut = broken({1}, Reason::timeout);
  cut.total_count = 3;
  fleet.apply("m-1", cut);
  EXPECT_FALSE(fleet.view("m-1")->unexpected_count_bound) << "a 0 is a claim, and nothing was proven";
  cut.total_count = 8;
  fleet.apply("m-1", cut);
  EXPECT_EQ(fleet.view("m-1")->unexpected_count_bound, 5);
  EXPECT_FALSE(fleet.view("m-1")->unexpected_accounts) << "what the API only counts is no sighting";
  fleet.apply("m-1", failed(Reason::throttled));
  EXPECT_EQ(fleet.view("m-1")->unexpected_count_bound, 5) << "an answer without a count takes nothing back";
  fleet.apply("m-1", listed({1, 3}));
  EXPECT_EQ(fleet.view("m-1")->unexpected_count_bound, 0);
  fleet.advance(15min);
  EXPECT_FALSE(fleet.view("m-1")->unexpected_count_bound) << "a 0 grows stale";
}

TEST(Tracker, ClearsOnlyAfterTwoCompleteListings) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1, 9}));
  EXPECT_THAT(fleet.types(fleet.apply("m-1", listed({1}))), ElementsAre(EventType::drift_clearing));
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 1);
  const Step step = fleet.apply("m-1", listed({1}));
  ASSERT_THAT(fleet.types(step), ElementsAre(EventType::drift_closed));
  EXPECT_EQ(step.events.front().text("reason"), "revoked");
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 0);
  EXPECT_EQ(fleet.view("m-1")->counters.closed[0], 1U);
}

TEST(Tracker, ErrorsBetweenTwoListingsNeitherCountNorReset) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1, 9}));
  fleet.apply("m-1", listed({1}));
  for (const Reason reason : kAllReasons) {
    if (reason == Reason::image_gone) continue;  // an answer of the inventory, tested apart
    fleet.apply("m-1", failed(reason));
    EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 1) << to_string(reason);
    fleet.apply("m-1", broken({1}, reason));
    EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 1) << to_string(reason);
  }
  fleet.apply("m-1", listed({1}));
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 0);
}

TEST(Tracker, CountsAFlapWhenTheAccountReturnsWhileClearing) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1, 9}));
  fleet.apply("m-1", listed({1}));
  EXPECT_THAT(fleet.types(fleet.apply("m-1", listed({1, 9}))), ElementsAre(EventType::drift_flapped));
  EXPECT_EQ(fleet.view("m-1")->counters.flaps, 1U);
  EXPECT_EQ(fleet.view("m-1")->counters.opened[0], 1U) << "it never was closed";
  fleet.apply("m-1", listed({1}));
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 1) << "the proof starts anew";
}

TEST(Tracker, DeclaresMissingOnlyOnProofAndRestoresOnOneRow) {
  Fleet fleet({an_image("m-1").requiring({1, 2})});
  fleet.apply("m-1", listed({1, 2}));
  fleet.apply("m-1", broken({1}, Reason::reset));
  EXPECT_EQ(fleet.count(fleet.apply("m-1", listed({1})), EventType::drift_opened), 0U);
  EXPECT_EQ(fleet.view("m-1")->missing_accounts, 0);
  const Step step = fleet.apply("m-1", listed({1}));
  ASSERT_THAT(fleet.types(step), ElementsAre(EventType::drift_opened));
  EXPECT_EQ(step.events.front().text("kind"), "missing");
  EXPECT_EQ(fleet.view("m-1")->missing_accounts, 1);
  const Step back = fleet.apply("m-1", broken({2}, Reason::timeout));
  ASSERT_EQ(back.events.front().type, EventType::drift_closed);
  EXPECT_EQ(back.events.front().text("reason"), "restored");
  EXPECT_EQ(fleet.view("m-1")->missing_accounts, 0);
}

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

// README's table "While nobody can see", row by row: an image in sync and one in drift, polled every five
// minutes.
TEST(Tracker, TheTimelineOfABlindImage) {
  const auto watched = [] {
    return std::vector{an_image("m-1").allowing({1, 2}).requiring({3}),
                       an_image("m-2").allowing({1}).requiring({3})};
  };
  Fleet fleet(watched());
  const auto claims = [](const ImageView& view) {
    return view.unexpected_accounts == 0 && view.missing_accounts == 0 && view.unlisted_accounts == 0 &&
           view.unexpected_count_bound == 0;
  };
  const auto withdrawn = [](const ImageView& view) {
    return !view.unexpected_accounts && !view.missing_accounts && !view.unlisted_accounts &&
           !view.unexpected_count_bound;
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
    EXPECT_EQ(view->last_attempt, fleet.now().wall);
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

TEST(Tracker, AConfigThatAllowsClosesWithItsOwnReason) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1, 9}));
  const Step step = fleet.reconfigure({an_image("m-1").allowing({1, 9})});
  ASSERT_THAT(fleet.types(step), ElementsAre(EventType::drift_closed));
  EXPECT_EQ(step.events.front().text("reason"), "allowed_by_config");
  EXPECT_EQ(fleet.tracker().closes().at(static_cast<std::size_t>(CloseReason::allowed_by_config)), 1U);
  const Step back = fleet.reconfigure({an_image("m-1").allowing({1})});
  ASSERT_THAT(fleet.types(back), ElementsAre(EventType::drift_opened)) << "access never ended";
  EXPECT_EQ(back.events.front().text("reason"), "config_changed");
}

TEST(Tracker, AnUnwatchedImageClosesAndGoes) {
  Fleet fleet({an_image("m-1").allowing({}), an_image("m-2").allowing({})});
  fleet.apply("m-1", listed({9}));
  const Step step = fleet.reconfigure({an_image("m-2").allowing({})});
  ASSERT_THAT(fleet.types(step), ElementsAre(EventType::drift_closed));
  EXPECT_EQ(step.events.front().text("reason"), "unwatched");
  EXPECT_THAT(step.removed, ElementsAre(*ImageId::parse("m-1")));
  EXPECT_EQ(fleet.view("m-1"), nullptr);
}

TEST(Tracker, AGoneImageClosesItsDriftOnProofOnly) {
  Fleet fleet({an_image("m-1").requiring({1})});
  fleet.apply("m-1", listed({1, 9}));
  Observation gone = failed(Reason::image_gone);
  gone.gone = true;
  fleet.apply("m-1", gone);
  EXPECT_EQ(fleet.view("m-1")->state, ImageState::gone);
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, 1);
  const Step step = fleet.apply("m-1", gone);
  ASSERT_EQ(step.events.front().type, EventType::drift_closed);
  EXPECT_EQ(step.events.front().text("reason"), "image_gone");
  EXPECT_EQ(fleet.view("m-1")->missing_accounts, 0) << "nothing can be missing from what is not there";
}

TEST(Tracker, TellsAFailureOnceThenNowAndThen) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1}));
  std::size_t told = 0;
  for (int i = 0; i < 40; ++i)
    told += fleet.count(fleet.apply("m-1", failed(Reason::throttled)), EventType::poll_failed);
  EXPECT_EQ(told, 3U);
  EXPECT_EQ(fleet.view("m-1")->counters.failures, 40U);
  EXPECT_THAT(fleet.types(fleet.apply("m-1", listed({1}))),
              ElementsAre(EventType::listing_recovered, EventType::image_state_changed));
}

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
  fleet.tick();
  EXPECT_EQ(fleet.view("m-0")->unexpected_accounts, 0) << "one of ten is no mass change";
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
  images.erase(images.begin(), images.begin() + 8);  // ten of twenty were attempted, eight of them go
  fleet.reconfigure(images);
  for (int i = 10; i < 20; ++i) {
    EXPECT_EQ(fleet.view("m-8")->unexpected_accounts, 1) << "the cycle is not over";
    fleet.apply("m-" + std::to_string(i), listed({1}));
  }
  EXPECT_EQ(fleet.tracker().clears_held(), 12);
  EXPECT_EQ(fleet.view("m-8")->unexpected_accounts, 1);
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

TEST(Tracker, ACanaryThatNeverSangIsLost) {
  Fleet fleet({an_image("m-1").allowing({}).as_canary()});
  EXPECT_EQ(fleet.count(fleet.apply("m-1", listed({})), EventType::canary_lost), 0U);
  EXPECT_EQ(fleet.count(fleet.apply("m-1", listed({})), EventType::canary_lost), 1U);
}

TEST(Tracker, ARestartKeepsDriftCountersAndSince) {
  Fleet before({an_image("m-1").allowing({1}).requiring({2})});
  before.apply("m-1", listed({1, 2}));
  before.advance(5min);
  before.apply("m-1", listed({1, 9}));
  before.apply("m-1", listed({1, 9}));
  const auto old = before.view("m-1");
  ASSERT_EQ(old->unexpected_accounts, 1);
  ASSERT_EQ(old->missing_accounts, 1);

  Fleet after({an_image("m-1").allowing({1}).requiring({2})}, before.save(), 1h);
  EXPECT_EQ(after.count_start(EventType::drift_opened), 0U) << "reopened without counting";
  EXPECT_EQ(after.count_start(EventType::monitoring_gap), 1U);
  const auto view = after.view("m-1");
  EXPECT_EQ(view->unexpected_accounts, 1);
  EXPECT_EQ(view->missing_accounts, 1);
  EXPECT_EQ(view->counters, old->counters);
  EXPECT_EQ(view->drifts.front().since, old->drifts.front().since);
}

TEST(Tracker, ARestartNeverBringsAClearNearer) {
  Fleet before({an_image("m-1").allowing({1})});
  before.apply("m-1", listed({1, 9}));
  before.apply("m-1", listed({1}));
  Fleet after({an_image("m-1").allowing({1})}, before.save(), 1min);
  after.apply("m-1", listed({1}));
  EXPECT_EQ(after.view("m-1")->unexpected_accounts, 1);
  after.apply("m-1", listed({1}));
  EXPECT_EQ(after.view("m-1")->unexpected_accounts, 0);
}

TEST(Tracker, AChangeMadeWhileDownIsBoundedInTime) {
  Fleet before({an_image("m-1").allowing({1})});
  before.apply("m-1", listed({1}));
  const WallTime last_clean = before.now().wall;
  Fleet after({an_image("m-1").allowing({1})}, before.save(), 3h);
  const Step step = after.apply("m-1", listed({1, 9}));
  ASSERT_EQ(step.events.front().type, EventType::drift_opened);
  EXPECT_EQ(step.events.front().text("not_before"), format_rfc3339(last_clean));
  EXPECT_EQ(step.events.front().text("first_seen"), format_rfc3339(after.now().wall));
  EXPECT_EQ(step.events.front().text("first_run"), "false");
}

TEST(Tracker, ATamperedStateOnlyAdds) {
  Fleet before({an_image("m-1").allowing({1})});
  before.apply("m-1", listed({1, 9}));
  SavedState saved = before.save();
  saved.images.front().sightings.clear();  // evidence taken away
  saved.images.front().last_complete =
      before.now().wall + std::chrono::hours{24 * 365};  // freshness from the future
  Fleet after({an_image("m-1").allowing({1})}, saved, 1min);
  EXPECT_EQ(after.view("m-1")->unexpected_accounts, 1);
  saved.images.front().drifts.clear();
  Fleet wiped({an_image("m-1").allowing({1})}, saved, 1min);
  wiped.apply("m-1", listed({1, 9}));
  EXPECT_EQ(wiped.view("m-1")->unexpected_accounts, 1);
  EXPECT_LE(*wiped.view("m-1")->last_complete, wiped.now().wall);
}

// Every column of the state, doctored or gone: a drift that is in it stays open, and no clear comes nearer.
TEST(Tracker, NoColumnOfTheStateClosesADriftOrPutsOneOff) {
  const auto image = [] { return an_image("m-1").allowing({1}).requiring({2}); };
  Fleet before({image()});
  before.apply("m-1", listed({1, 2}));
  before.advance(5min);
  before.apply("m-1", listed({1, 9}));
  before.apply("m-1", listed({1, 9}));
  before.apply("m-1", listed({1}));  // 9 is half cleared
  const SavedState truth = before.save();
  const WallTime far = before.now().wall + std::chrono::hours{24 * 365};
  const std::map<std::string, std::function<void(SavedState&, ImageRecord&)>> doctored{
      {"state", [](auto&, ImageRecord& r) { r.state = ImageState::ok; }},
      {"gone", [](auto&, ImageRecord& r) { r.state = ImageState::gone; }},
      {"state_since", [far](auto&, ImageRecord& r) { r.state_since = far; }},
      {"last_complete gone", [](auto&, ImageRecord& r) { r.last_complete.reset(); }},
      {"last_complete to come", [far](auto&, ImageRecord& r) { r.last_complete = far; }},
      {"last_complete of 1970", [](auto&, ImageRecord& r) { r.last_complete = WallTime{}; }},
      {"last_complete_began", [far](auto&, ImageRecord& r) { r.last_complete_began = far; }},
      {"last_attempt gone", [](auto&, ImageRecord& r) { r.last_attempt.reset(); }},
      {"last_attempt to come", [far](auto&, ImageRecord& r) { r.last_attempt = far; }},
      {"shared_accounts", [](auto&, ImageRecord& r) { r.shared_accounts = 0; }},
      {"negative", [](auto&, ImageRecord& r) { r.shared_accounts = r.unused_entries = r.unlisted = -9; }},
      {"total_count", [](auto&, ImageRecord& r) { r.total_count = -1; }},
      {"had_accounts", [](auto&, ImageRecord& r) { r.had_accounts = false; }},
      {"listing_complete", [](auto&, ImageRecord& r) { r.listing_complete = true; }},
      {"counters", [](auto&, ImageRecord& r) { r.counters = {}; }},
      {"failures", [](auto&, ImageRecord& r) { r.counters.failures = 99; }},
      {"sightings gone", [](auto&, ImageRecord& r) { r.sightings.clear(); }},
      {"sightings absent",
       [](auto&, ImageRecord& r) {
         for (Sighting& s : r.sightings) {
           s.absences = 7;
           s.held = true;
           s.loss_cycle = -5;
         }
       }},
      {"sightings to come",
       [far](auto&, ImageRecord& r) {
         for (Sighting& s : r.sightings)
           s.not_before = s.first_missed = s.first_seen = s.last_seen = far;
       }},
      {"sightings of 1970",
       [](auto&, ImageRecord& r) {
         for (Sighting& s : r.sightings)
           s.not_before = s.first_missed = s.first_seen = s.last_seen = WallTime{};
       }},
      {"absences gone", [](auto&, ImageRecord& r) { r.absences.clear(); }},
      {"absences put off",
       [](auto&, ImageRecord& r) { r.absences.front().absences = std::numeric_limits<std::int32_t>::min(); }},
      {"absences to come",
       [far](auto&, ImageRecord& r) {
         r.absences.front().first_missed = *(r.absences.front().last_seen = far);
       }},
      {"drifts gone", [](auto&, ImageRecord& r) { r.drifts.clear(); }},
      {"drifts to come",
       [far](auto&, ImageRecord& r) {
         for (Drift& d : r.drifts)
           d.since = far;
       }},
      {"closes",
       [](SavedState& s, auto&) {
         s.fleet.closes = {9, 9, 9, 9, 9};
       }},
      {"judged_at gone", [](SavedState& s, auto&) { s.fleet.judged_at.reset(); }},
      {"judged_at of 1970", [](SavedState& s, auto&) { s.fleet.judged_at = WallTime{}; }},
      {"judged_at to come", [far](SavedState& s, auto&) { s.fleet.judged_at = far; }},
  };
  for (const auto& [name, doctor] : doctored) {
    SavedState saved = truth;
    doctor(saved, saved.images.front());
    Fleet after({image()}, saved, 1min);
    EXPECT_EQ(after.count_start(EventType::drift_closed), 0U) << name;
    EXPECT_EQ(after.view("m-1")->unexpected_accounts, 1) << name;
    if (name != "drifts gone") {  // knowledge that was taken away comes back with its proof
      EXPECT_EQ(after.view("m-1")->missing_accounts, 1) << name;
    }
    const auto view = after.view("m-1");
    for (const DriftView& drift : view->drifts) {
      EXPECT_LE(drift.since, after.now().wall) << name;
      EXPECT_LE(drift.last_seen.value_or(WallTime{}), after.now().wall) << name;
    }
    after.apply("m-1", failed(Reason::throttled));
    after.apply("m-1", listed({1}));
    EXPECT_EQ(after.view("m-1")->unexpected_accounts, 1) << name << ": a clear is proven in this life";
    after.apply("m-1", listed({1}));
    EXPECT_EQ(after.view("m-1")->unexpected_accounts, 0) << name;
    EXPECT_EQ(after.view("m-1")->missing_accounts, 1) << name;
  }
}

TEST(Tracker, ARecordAloneDeclaresNothingMissing) {
  Fleet before({an_image("m-1").requiring({2})});
  before.apply("m-1", listed({}));
  SavedState saved = before.save();
  saved.images.front().absences.front().absences = 1000;
  Fleet after({an_image("m-1").requiring({2})}, saved, 1min);
  EXPECT_EQ(after.count_start(EventType::drift_opened), 0U);
  after.apply("m-1", listed({}));
  EXPECT_EQ(after.view("m-1")->missing_accounts, 1);
}

TEST(Tracker, AZeroFromAClockThatWasWrongIsNoProof) {
  Fleet before({an_image("m-1").allowing({1})});
  before.apply("m-1", listed({1}));
  Fleet same({an_image("m-1").allowing({1})}, before.save(), 1min);
  EXPECT_EQ(same.view("m-1")->unexpected_accounts, 0) << "a restart takes nothing that is proven";
  same.advance(14min);
  EXPECT_FALSE(same.view("m-1")->unexpected_accounts) << "its age counts over the restart";
  SavedState saved = before.save();
  saved.images.front().last_complete = before.now().wall + 3h;
  Fleet after({an_image("m-1").allowing({1})}, saved, 1min);
  EXPECT_FALSE(after.view("m-1")->unexpected_accounts);
  const Step step = after.apply("m-1", listed({1, 9}));
  ASSERT_EQ(step.events.front().type, EventType::drift_opened);
  EXPECT_EQ(step.events.front().find("not_before"), nullptr) << "nobody knows since when";
}

TEST(Tracker, WhatTheApiCountedOutlivesARestart) {
  Fleet before({an_image("m-1").allowing({1})});
  Observation cut = broken({1}, Reason::timeout);
  cut.total_count = 8;
  before.apply("m-1", cut);
  ASSERT_EQ(before.view("m-1")->unexpected_count_bound, 7);
  Fleet after({an_image("m-1").allowing({1})}, before.save(), 1min);
  EXPECT_EQ(after.view("m-1")->unexpected_count_bound, 7) << "a restart is no proof";
  EXPECT_EQ(after.view("m-1")->unlisted_accounts, 7);
}

TEST(Tracker, WhatCameWhileALongListWasReadIsBoundedByItsBeginning) {
  Fleet before({an_image("m-1").allowing({1})});
  before.advance(5min);
  Observation slow = listed({1});
  slow.started = before.now().wall - 40s;
  before.apply("m-1", slow);
  Fleet after({an_image("m-1").allowing({1})}, before.save(), 3h);
  const Step step = after.apply("m-1", listed({1, 9}));
  EXPECT_EQ(step.events.front().text("not_before"), format_rfc3339(slow.started));
}

TEST(Tracker, AGapIsToldWithBothEnds) {
  Fleet before({an_image("m-1").allowing({1})});
  before.apply("m-1", listed({1}));
  const SavedState saved = before.save();
  const auto start = [](const SavedState& state, Millis later) {
    Step step;
    const Instant now{MonoTime{1h}, Fleet::kStart + later};
    WatchList watch;
    watch.images = {an_image("m-1").allowing({1}).build()};
    watch.interval = 1h;  // of most images; this one has its own
    watch.stale_after = 3h;
    const Tracker tracker(watch, state, now, step);
    std::erase_if(step.events, [](const Event& e) { return e.type != EventType::monitoring_gap; });
    return step.events;
  };
  EXPECT_THAT(start(saved, 4min), IsEmpty());
  const auto gap = start(saved, 3h);
  ASSERT_EQ(gap.size(), 1U);
  EXPECT_EQ(gap[0].text("from"), format_rfc3339(Fleet::kStart));
  EXPECT_EQ(gap[0].text("to"), format_rfc3339(Fleet::kStart + 3h));
  EXPECT_EQ(gap[0].text("seconds"), "10800");
  EXPECT_EQ(start(saved, 6min).size(), 1U) << "the shortest interval counts";
  SavedState mute = saved;
  mute.last_alive.reset();
  EXPECT_EQ(start(mute, 3h).at(0).text("from"), format_rfc3339(Fleet::kStart)) << "by the last attempt then";
  const auto back = start(saved, -2h);
  ASSERT_EQ(back.size(), 1U) << "a clock that was set back hides no gap";
  EXPECT_EQ(back[0].find("seconds"), nullptr);
}

TEST(Tracker, AWindowOfAnEarlierLifeIsNotReportedOnceTheAccountIsBack) {
  Fleet before({an_image("m-1").allowing({1})});
  before.apply("m-1", listed({1, 9}));
  before.advance(5min);
  before.apply("m-1", listed({1}));
  Fleet gone({an_image("m-1").allowing({1})}, before.save(), 1min);
  const Step absent = gone.apply("m-1", listed({1}));
  EXPECT_EQ(absent.events.front().text("not_after"), format_rfc3339(before.now().wall))
      << "it was absent before the restart";
  Fleet back({an_image("m-1").allowing({1})}, before.save(), 1min);
  EXPECT_EQ(back.count(back.apply("m-1", listed({1, 9})), EventType::drift_flapped), 0U);
  const Step step = back.reconfigure({an_image("m-1").allowing({1, 9})});
  ASSERT_THAT(back.types(step), ElementsAre(EventType::drift_closed));
  EXPECT_EQ(step.events.front().find("not_after"), nullptr) << "it never ended";
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

TEST(Tracker, AGoneImageStaysGoneUntilSomebodyCanTell) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1}));
  Observation gone = failed(Reason::image_gone);
  gone.gone = true;
  fleet.apply("m-1", gone);
  ASSERT_EQ(fleet.view("m-1")->state, ImageState::gone);
  Observation untold = listed({});
  untold.may_be_gone = true;
  fleet.apply("m-1", untold);
  EXPECT_EQ(fleet.view("m-1")->state, ImageState::gone);
  EXPECT_TRUE(fleet.tracker().had_accounts(*ImageId::parse("m-1"))) << "so the inventory is asked again";
  Fleet after({an_image("m-1").allowing({1})}, fleet.save(), 1min);
  EXPECT_TRUE(after.tracker().had_accounts(*ImageId::parse("m-1"))) << "over a restart, too";
  fleet.apply("m-1", listed({}));
  EXPECT_EQ(fleet.view("m-1")->state, ImageState::empty) << "the inventory has it";
  EXPECT_FALSE(fleet.tracker().had_accounts(*ImageId::parse("m-1")));
}

TEST(Tracker, AConfigChangedWhileDownIsSeenAtTheStart) {
  Fleet before({an_image("m-1").allowing({1, 9}), an_image("m-2").allowing({})});
  before.apply("m-1", listed({1, 9}));
  before.apply("m-2", listed({8}));
  Fleet after({an_image("m-1").allowing({1})}, before.save(), 1min);
  EXPECT_EQ(after.count_start(EventType::drift_opened), 1U);
  EXPECT_EQ(after.count_start(EventType::drift_closed), 1U) << "m-2 is not watched any more";
  EXPECT_EQ(after.view("m-1")->unexpected_accounts, 1);
}

TEST(Tracker, TellsNewsFromRoutine) {
  Fleet fleet({an_image("m-1").allowing({1})});
  EXPECT_TRUE(fleet.apply("m-1", listed({1})).changed.front().urgent);
  EXPECT_FALSE(fleet.apply("m-1", listed({1})).changed.front().urgent);
  EXPECT_TRUE(fleet.apply("m-1", listed({1, 9})).changed.front().urgent);
}

TEST(Tracker, OneEventIsOneStepOfItsCounter) {
  testing::SeededRandom random(5);
  Fleet fleet({an_image("m-1").allowing({1, 2}).requiring({3})});
  std::size_t opened = 0;
  std::size_t closed = 0;
  std::size_t flapped = 0;
  for (int i = 0; i < 2000; ++i) {
    const Step step = fleet.apply("m-1", testing::random_observation(random));
    opened += fleet.count(step, EventType::drift_opened);
    closed += fleet.count(step, EventType::drift_closed);
    flapped += fleet.count(step, EventType::drift_flapped);
  }
  const ImageCounters counters = fleet.view("m-1")->counters;
  EXPECT_EQ(counters.opened[0] + counters.opened[1], opened);
  EXPECT_EQ(counters.closed[0] + counters.closed[1], closed);
  EXPECT_EQ(counters.flaps, flapped);
  EXPECT_GT(opened, 50U);
}

// The law itself, against random observations: whatever comes, nothing but proof lowers the drift, and no row
// that was seen is not raised.
TEST(TrackerProperty, NoUnknownLowersAndNoRowIsLost) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    testing::SeededRandom random(seed);
    Fleet fleet({an_image("m-1").allowing({1, 2}).requiring({3})});
    for (int i = 0; i < 300; ++i) {
      const auto unexpected_before = testing::open_accounts(*fleet.view("m-1"), DriftKind::unexpected);
      const Observation seen = testing::random_observation(random);
      fleet.advance(Millis{static_cast<Millis::rep>(random.next() % 600'000)});
      if (random.next() % 5 == 0) fleet.tick();
      fleet.apply("m-1", seen);
      const auto view = fleet.view("m-1");
      const auto open = testing::open_accounts(*view, DriftKind::unexpected);
      for (const auto* rows : {&seen.accounts, &seen.transient}) {
        for (const AccountId& row : *rows) {
          ASSERT_TRUE(row <= account(3) || open.contains(row)) << "a row was seen and not raised";
        }
      }
      if (!seen.complete && !seen.gone) {
        for (const AccountId& was : unexpected_before)
          ASSERT_TRUE(open.contains(was)) << "an unknown cleared";
      }
      ASSERT_EQ(view->unexpected_accounts.value_or(0), static_cast<std::int64_t>(open.size()));
      ASSERT_TRUE(open.empty() || view->unexpected_accounts) << "never withdrawn while above 0";
    }
  }
}

}  // namespace
}  // namespace sharedrift
