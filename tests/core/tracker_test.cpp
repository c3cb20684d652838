#include "core/tracker.hpp"

#include "support/fleet.hpp"

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
using ::testing::SizeIs;

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

TEST(Tracker, AnEntryWhoseAccountIsLostIsUnusedUnderANewPolicyToo) {
  Fleet fleet({an_image("m-1").allowing({1, 2})});
  fleet.apply("m-1", listed({1, 2}));
  fleet.apply("m-1", listed({2}));
  ASSERT_EQ(fleet.view("m-1")->unused_entries, 1);
  fleet.reconfigure({an_image("m-1").allowing({1, 2, 3})});
  EXPECT_EQ(fleet.view("m-1")->unused_entries, 2);
  fleet.apply("m-1", listed({1, 2}));
  fleet.reconfigure({an_image("m-1").allowing({1, 2})});
  EXPECT_EQ(fleet.view("m-1")->unused_entries, 0);
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
  EXPECT_FALSE(fleet.view("m-1")->unexpected_accounts_min);
  Observation cut = broken({1}, Reason::timeout);
  cut.total_count = 3;
  fleet.apply("m-1", cut);
  EXPECT_FALSE(fleet.view("m-1")->unexpected_accounts_min) << "a 0 is a claim, and nothing was proven";
  cut.total_count = 8;
  fleet.apply("m-1", cut);
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts_min, 5);
  EXPECT_FALSE(fleet.view("m-1")->unexpected_accounts) << "what the API only counts is no sighting";
  fleet.apply("m-1", failed(Reason::throttled));
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts_min, 5) << "an answer without a count takes nothing back";
  fleet.apply("m-1", listed({1, 3}));
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts_min, 0);
  fleet.apply("m-1", listed({}));
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts_min, 0) << "a count of nobody is a count";
  EXPECT_EQ(fleet.view("m-1")->unlisted_accounts, 0);
  fleet.advance(15min);
  EXPECT_FALSE(fleet.view("m-1")->unexpected_accounts_min) << "a 0 grows stale";
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

TEST(Tracker, EveryRequiredAccountIsMissedForItself) {
  Fleet fleet({an_image("m-1").requiring({1, 2})});
  fleet.apply("m-1", listed({1, 2}));
  fleet.apply("m-1", listed({1}));
  fleet.apply("m-1", listed({}));
  EXPECT_EQ(fleet.view("m-1")->missing_accounts, 1) << "the first is not listed for the first time";
  fleet.apply("m-1", listed({}));
  EXPECT_EQ(fleet.view("m-1")->missing_accounts, 2);
}

TEST(Tracker, AViewShowsWhoHasAccessAndWhoIsOnTheWayOut) {
  Fleet fleet({an_image("m-1").allowing({1}).requiring({2})});
  fleet.apply("m-1", listed({1, 8, 9}));
  fleet.advance(5min);
  fleet.apply("m-1", listed({1, 9}));
  const auto view = fleet.view("m-1");
  EXPECT_EQ(view->sightings, testing::accounts({1, 8, 9}));
  ASSERT_EQ(view->drifts.size(), 3U);
  EXPECT_EQ(view->drifts[0].account, account(8));
  EXPECT_TRUE(view->drifts[0].clearing);
  EXPECT_FALSE(view->drifts[0].held);
  EXPECT_EQ(view->drifts[0].last_seen, fleet.now().wall - 5min);
  EXPECT_FALSE(view->drifts[1].clearing);
  EXPECT_EQ(view->drifts[1].last_seen, fleet.now().wall);
  EXPECT_EQ(view->drifts[1].first_seen, fleet.now().wall - 5min);
  EXPECT_EQ(view->drifts[2].kind, DriftKind::missing);
  EXPECT_EQ(view->drifts[2].since, fleet.now().wall - 5min) << "since the first listing without it";
  EXPECT_FALSE(view->drifts[2].last_seen) << "nobody ever saw it";
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
  ASSERT_THAT(step.unwatched, SizeIs(1));
  EXPECT_EQ(step.unwatched.front().record.id.str(), "m-1");
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

TEST(Tracker, ErrorsAfterItWasGoneDoNotChangeWhyItsDriftEnds) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({9}));
  Observation gone = failed(Reason::image_gone);
  gone.gone = true;
  fleet.apply("m-0", gone);
  fleet.apply("m-0", failed(Reason::throttled));
  fleet.advance(1h);
  const Step step = fleet.tick();  // the cycle is over
  ASSERT_THAT(fleet.types(step), ElementsAre(EventType::drift_closed));
  EXPECT_EQ(step.events.front().text("reason"), "image_gone");
}

TEST(Tracker, NobodyIsMissingFromAnImageThatIsGoneUntilSomebodyCanTell) {
  Fleet fleet({an_image("m-1").requiring({1})}, 1);
  fleet.apply("m-1", listed({}));
  ASSERT_EQ(fleet.view("m-1")->missing_accounts, 1);
  Observation gone = failed(Reason::image_gone);
  gone.gone = true;
  fleet.apply("m-1", gone);
  ASSERT_EQ(fleet.view("m-1")->missing_accounts, 0);
  fleet.apply("m-1", failed(Reason::ownership_unknown));
  EXPECT_EQ(fleet.view("m-1")->missing_accounts, 0);
  fleet.apply("m-1", listed({}));
  EXPECT_EQ(fleet.view("m-1")->missing_accounts, 1) << "it is there, and shared with nobody";
}

TEST(Tracker, TellsWhenAMissingAccountWasSeenLast) {
  for (const int confirm : {1, 2}) {
    Fleet fleet({an_image("m-1").requiring({1})}, confirm);
    fleet.apply("m-1", listed({1}));
    const WallTime seen = fleet.now().wall;
    Step step;
    for (int i = 0; i < confirm; ++i) {
      fleet.advance(5min);
      step = fleet.apply("m-1", listed({}));
    }
    const auto opened = std::find_if(step.events.begin(), step.events.end(),
                                     [](const Event& e) { return e.type == EventType::drift_opened; });
    ASSERT_NE(opened, step.events.end());
    EXPECT_EQ(opened->text("last_seen"), format_rfc3339(seen)) << confirm;
    EXPECT_EQ(opened->text("first_run"), "false");
  }
}

TEST(Tracker, TellsAFailureOnceThenNowAndThen) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1}));
  std::size_t told = 0;
  for (int i = 0; i < 40; ++i)
    told += fleet.count(fleet.apply("m-1", failed(Reason::throttled)), EventType::listing_failed);
  EXPECT_EQ(told, 3U);
  EXPECT_EQ(fleet.view("m-1")->counters.failures, 40U);
  EXPECT_THAT(fleet.types(fleet.apply("m-1", listed({1}))),
              ElementsAre(EventType::listing_recovered, EventType::image_state_changed));
}

TEST(Tracker, AnEmptyListOfAnImageThatMayNotBeOursProvesNothing) {
  for (const bool was_gone : {false, true}) {
    Fleet fleet({an_image("m-1").requiring({1})}, 1);
    fleet.apply("m-1", listed({1, 9}));
    Observation gone = failed(Reason::image_gone);
    gone.gone = true;
    if (was_gone) fleet.apply("m-1", gone);
    const auto before = fleet.view("m-1");
    for (int i = 0; i < 5; ++i)
      fleet.apply("m-1", failed(Reason::ownership_unknown));
    const auto after = fleet.view("m-1");
    EXPECT_EQ(after->state, ImageState::incomplete);
    EXPECT_FALSE(after->listing_complete);
    EXPECT_EQ(after->unexpected_accounts, before->unexpected_accounts);
    EXPECT_EQ(after->missing_accounts, before->missing_accounts);
    EXPECT_EQ(after->shared_accounts, before->shared_accounts);
    EXPECT_EQ(after->last_failure->reason, Reason::ownership_unknown);
  }
  Fleet never({an_image("m-1").allowing({1})}, 1);
  never.apply("m-1", failed(Reason::ownership_unknown));
  EXPECT_FALSE(never.view("m-1")->unexpected_accounts) << "a 0 would be a claim";
}

TEST(Tracker, AnEmptyListIsNewsAsLongAsAnybodyIsBelievedToHaveAccess) {
  Fleet fleet({an_image("m-1").allowing({1})}, 2);
  const auto is_news = [&fleet] { return fleet.tracker().image(*ImageId::parse("m-1")).empty_is_news(); };
  EXPECT_FALSE(is_news());
  fleet.apply("m-1", listed({1}));
  EXPECT_TRUE(is_news());
  fleet.apply("m-1", listed({}));
  EXPECT_TRUE(is_news()) << "one listing without it is no proof";
  Fleet after({an_image("m-1").allowing({1})}, fleet.save(), 1min);
  EXPECT_TRUE(after.tracker().image(*ImageId::parse("m-1")).empty_is_news()) << "over a restart, too";
  fleet.apply("m-1", listed({}));
  EXPECT_FALSE(is_news());
  Observation gone = failed(Reason::image_gone);
  gone.gone = true;
  fleet.apply("m-1", gone);
  fleet.apply("m-1", failed(Reason::ownership_unknown));
  EXPECT_TRUE(is_news()) << "an inventory of before would take back that it is gone";
  fleet.apply("m-1", listed({}));
  EXPECT_FALSE(is_news());
}

TEST(Tracker, TellsNewsFromRoutine) {
  Fleet fleet({an_image("m-1").allowing({1})});
  EXPECT_TRUE(fleet.apply("m-1", listed({1})).changed.front().urgent);
  fleet.advance(5min);
  EXPECT_FALSE(fleet.apply("m-1", listed({1})).changed.front().urgent) << "only times have changed";
  EXPECT_TRUE(fleet.apply("m-1", listed({1, 9})).changed.front().urgent);
  EXPECT_FALSE(fleet.apply("m-1", listed({1, 9})).changed.front().urgent);
  EXPECT_TRUE(fleet.apply("m-1", failed(Reason::throttled)).changed.front().urgent) << "its state is another";
  EXPECT_FALSE(fleet.apply("m-1", failed(Reason::throttled)).changed.front().urgent);
  EXPECT_TRUE(fleet.apply("m-1", listed({1})).changed.front().urgent) << "an account begins to be absent";
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
