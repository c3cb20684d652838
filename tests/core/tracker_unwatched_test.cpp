// An image that leaves the watch and is watched again goes on from what is remembered of it: nobody loses
// access by a change of the configuration.

#include "core/tracker.hpp"
#include "core/unwatched_images.hpp"
#include "support/fleet.hpp"
#include "the_event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::account;
using testing::an_image;
using ::testing::ElementsAre;
using testing::failed;
using testing::Fleet;
using ::testing::IsEmpty;
using testing::listed;
using ::testing::SizeIs;
using testing::the_event;

/// m-1 is watched, leaks since the fifth minute and lacks a required account, and is then watched no more;
/// m-2 is watched all the time.
struct Left {
  Left() {
    fleet.apply("m-1", listed({1, 2}));
    fleet.advance(5min);
    since = fleet.now().wall;
    fleet.apply("m-1", listed({1, 9}));
    fleet.apply("m-1", listed({1, 9}));
    step = fleet.reconfigure({an_image("m-2")});
  }
  static testing::ImageBuilder image() { return an_image("m-1").allowing({1}).requiring({2}); }
  /// What the state database has then.
  [[nodiscard]] SavedState saved() {
    SavedState out = fleet.save();
    out.images.push_back(step.unwatched.front().record);
    return out;
  }
  Fleet fleet{{image(), an_image("m-2")}};
  WallTime since{};
  Step step;
};

void expect_gone_on(const ImageView& view, WallTime since) {
  EXPECT_EQ(view.unexpected_accounts, 1);
  EXPECT_EQ(view.missing_accounts, 1);
  EXPECT_EQ(view.last_complete, since);
  EXPECT_EQ(view.unwatched_since, std::nullopt);
  EXPECT_EQ(view.counters.opened, (std::array<std::uint64_t, 2>{2, 2}));
  EXPECT_EQ(view.counters.closed, (std::array<std::uint64_t, 2>{1, 1}));
  ASSERT_THAT(view.drifts, SizeIs(2));
  for (const DriftView& drift : view.drifts) {
    EXPECT_EQ(drift.since, since);
    EXPECT_FALSE(drift.first_run);
  }
  EXPECT_EQ(view.drifts.front().not_before, since - 5min);
  EXPECT_EQ(view.drifts.front().first_seen, since);
}

TEST(TrackerUnwatched, WhatWasOpenIsShownAndNothingElseIsClaimed) {
  Left left;
  ASSERT_THAT(left.step.unwatched, SizeIs(1));
  const ImageView& view = *left.step.unwatched.front().view;
  EXPECT_EQ(view.policy->id.str(), "m-1");
  EXPECT_EQ(view.unwatched_since, left.fleet.now().wall);
  EXPECT_EQ(view.unexpected_accounts, 1);
  EXPECT_EQ(view.missing_accounts, 1);
  EXPECT_EQ(view.shared_accounts, std::nullopt) << "nobody knows now";
  EXPECT_FALSE(view.listing_complete);
  EXPECT_THAT(view.drifts, SizeIs(2));
  EXPECT_EQ(left.fleet.view("m-1"), nullptr);
}

TEST(TrackerUnwatched, AnImageThatIsWatchedAgainGoesOnFromItsRecord) {
  Left left;
  left.fleet.advance(1h);
  const Step step = left.fleet.reconfigure({Left::image(), an_image("m-2")});
  EXPECT_THAT(Fleet::types(step), ElementsAre(EventType::drift_opened, EventType::drift_opened))
      << "they were told as closed";
  EXPECT_EQ(step.events.front().text("reason"), "watched_again");
  EXPECT_EQ(step.events.back().text("reason"), "watched_again");
  EXPECT_EQ(step.events.front().text("first_run"), "false");
  EXPECT_TRUE(step.changed.front().urgent);
  expect_gone_on(*left.fleet.view("m-1"), left.since);
}

TEST(TrackerUnwatched, SoItDoesWithAKillBetween) {
  Left left;
  Fleet restarted({an_image("m-2")}, left.saved(), 30min);
  EXPECT_EQ(restarted.count_start(EventType::drift_closed), 0U) << "it was told";
  ASSERT_THAT(restarted.start().unwatched, SizeIs(1)) << "it is still to be seen";
  EXPECT_EQ(restarted.start().unwatched.front().view->unwatched_since, left.fleet.now().wall);
  restarted.advance(30min);
  restarted.reconfigure({Left::image(), an_image("m-2")});
  expect_gone_on(*restarted.view("m-1"), left.since);
}

TEST(TrackerUnwatched, SoItDoesWhereAStartBringsItBack) {
  Left left;
  Fleet back({Left::image(), an_image("m-2")}, left.saved(), 1h);
  EXPECT_EQ(back.count_start(EventType::drift_opened), 2U);
  EXPECT_TRUE(back.start().changed.front().urgent);
  expect_gone_on(*back.view("m-1"), left.since);
}

TEST(TrackerUnwatched, SoItDoesWhereItLeftBetweenTwoLives) {
  Fleet before({Left::image()});
  before.apply("m-1", listed({1, 2}));
  before.advance(5min);
  before.apply("m-1", listed({1, 9}));
  before.apply("m-1", listed({1, 9}));
  const WallTime since = before.now().wall;
  Fleet after({an_image("m-2")}, before.save(), 1min);
  EXPECT_EQ(after.count_start(EventType::drift_closed), 2U);
  ASSERT_THAT(after.start().unwatched, SizeIs(1));
  EXPECT_EQ(after.start().unwatched.front().view->unexpected_accounts, 1);
  after.advance(1min);
  after.reconfigure({Left::image()});
  expect_gone_on(*after.view("m-1"), since);
}

TEST(TrackerUnwatched, WhatWasOpenEndsOnProofOnly) {
  Left left;
  left.fleet.reconfigure({Left::image(), an_image("m-2")});
  left.fleet.apply("m-1", failed(Reason::connect));
  EXPECT_EQ(left.fleet.view("m-1")->unexpected_accounts, 1) << "nobody could tell";
  left.fleet.apply("m-1", listed({1, 2}));
  EXPECT_EQ(left.fleet.view("m-1")->unexpected_accounts, 1) << "one listing is no proof";
  const Step step = left.fleet.apply("m-1", listed({1, 2}));
  EXPECT_EQ(left.fleet.view("m-1")->unexpected_accounts, 0);
  EXPECT_EQ(the_event(step, EventType::drift_closed).text("opened"), format_rfc3339(left.since));
}

TEST(TrackerUnwatched, WhatCameMeanwhileIsBoundedInTime) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1}));
  const WallTime clean = fleet.now().wall;
  fleet.reconfigure({});
  fleet.advance(1h);
  fleet.reconfigure({an_image("m-1").allowing({1})});
  EXPECT_EQ(fleet.view("m-1")->unexpected_accounts, std::nullopt) << "the proof is too old for a 0";
  const Event event = the_event(fleet.apply("m-1", listed({1, 9})), EventType::drift_opened);
  EXPECT_EQ(event.text("reason"), "listed");
  EXPECT_EQ(event.text("first_run"), "false");
  EXPECT_EQ(event.text("not_before"), format_rfc3339(clean));
}

TEST(TrackerUnwatched, WhatIsAllowedNowIsNoNews) {
  Left left;
  const Step step = left.fleet.reconfigure({an_image("m-1").allowing({1, 9}), an_image("m-2")});
  EXPECT_THAT(step.events, IsEmpty()) << "it was told as closed";
  EXPECT_THAT(left.fleet.view("m-1")->drifts, IsEmpty());
  EXPECT_EQ(left.fleet.tracker().closes().at(static_cast<std::size_t>(CloseReason::allowed_by_config)), 0U);
}

TEST(TrackerUnwatched, AnExceptionThatEndedMeanwhileLetsNobodyIn) {
  const auto image = [] { return an_image("m-1").allowing({}).excepting(7, Fleet::kStart + 10min); };
  Fleet fleet({image()});
  fleet.apply("m-1", listed({7}));
  fleet.reconfigure({});
  fleet.advance(1h);
  const Step step = fleet.reconfigure({image()});
  EXPECT_EQ(Fleet::count(step, EventType::exception_expired), 0U) << "nobody watched";
  EXPECT_EQ(the_event(step, EventType::drift_opened).text("reason"), "watched_again");
  EXPECT_EQ(fleet.view("m-1")->drifts.front().since, fleet.now().wall);
}

TEST(TrackerUnwatched, ACanaryThatLeavesIsNoDrift) {
  Fleet fleet({an_image("m-1").allowing({}).as_canary(), an_image("m-2")});
  fleet.apply("m-1", listed({9}));
  const SavedState saved = fleet.save();
  const Step step = fleet.reconfigure({an_image("m-2")});
  EXPECT_THAT(step.events, IsEmpty());
  EXPECT_THAT(step.unwatched.front().view->drifts, IsEmpty());
  Fleet restarted({an_image("m-2")}, saved, 1min);
  EXPECT_EQ(restarted.count_start(EventType::drift_closed), 0U) << "nor over a restart";
  EXPECT_THAT(restarted.start().unwatched.front().view->drifts, IsEmpty());
}

TEST(TrackerUnwatched, AnImageThatWasGoneMayBeBack) {
  Fleet fleet({an_image("m-1").allowing({})});
  fleet.apply("m-1", listed({}));
  Observation gone = failed(Reason::image_gone);
  gone.gone = true;
  fleet.apply("m-1", gone);
  fleet.reconfigure({});
  fleet.reconfigure({an_image("m-1").allowing({})});
  EXPECT_EQ(fleet.view("m-1")->state, ImageState::never_read);
}

TEST(TrackerUnwatched, ATamperedAbsenceDoesNotHideWhenALeakWasSeen) {
  Left left;
  SavedState saved = left.saved();
  saved.images.back().absences.push_back({account(9), Fleet::kStart, std::nullopt});
  const Fleet restarted({an_image("m-2")}, saved, 1min);
  ASSERT_THAT(restarted.start().unwatched, SizeIs(1));
  EXPECT_EQ(restarted.start().unwatched.front().view->drifts.front().last_seen, left.since);
}

TEST(TrackerUnwatched, IsForgottenWhenItsEventsAre) {
  Left left;
  left.fleet.advance(std::chrono::hours{24 * 400} + 1s);
  const Step step = left.fleet.reconfigure({an_image("m-2")});
  EXPECT_THAT(step.forgotten, ElementsAre(*ImageId::parse("m-1")));
  EXPECT_THAT(step.events, IsEmpty());
  Fleet restarted({an_image("m-2")}, left.saved(), 0ms);
  EXPECT_THAT(restarted.start().forgotten, ElementsAre(*ImageId::parse("m-1")));
}

TEST(TrackerUnwatched, WhatComesBackInTheReloadThatWouldForgetItGoesOn) {
  Left left;
  left.fleet.advance(std::chrono::hours{24 * 400} + 1s);
  const Step step = left.fleet.reconfigure({Left::image(), an_image("m-2")});
  EXPECT_THAT(step.forgotten, IsEmpty());
  expect_gone_on(*left.fleet.view("m-1"), left.since);
}

ImageRecord a_record(int number, std::size_t sightings) {
  ImageRecord record{*ImageId::parse("m-" + std::to_string(number))};
  record.unwatched_since = Fleet::kStart + Millis{number};
  for (std::size_t i = 0; i < sightings; ++i)
    record.sightings.push_back({account(static_cast<int>(i)), {}, Fleet::kStart, Fleet::kStart});
  return record;
}

TEST(UnwatchedImages, OfTooManyTheOldestOfTheLargestAreForgotten) {
  UnwatchedImages images(10);
  images.keep(a_record(2, 4));
  images.keep(a_record(1, 4));
  EXPECT_THAT(images.forget(Fleet::kStart), IsEmpty());
  images.keep(a_record(3, 0));
  EXPECT_THAT(images.forget(Fleet::kStart), ElementsAre(*ImageId::parse("m-1")));
  EXPECT_EQ(images.take(*ImageId::parse("m-1")), std::nullopt);
  EXPECT_EQ(images.take(*ImageId::parse("m-2")), a_record(2, 4));
  EXPECT_EQ(images.take(*ImageId::parse("m-2")), std::nullopt);
  images.keep(a_record(3, 9));
  EXPECT_THAT(images.forget(Fleet::kStart), IsEmpty()) << "the one before it was replaced";
  EXPECT_THAT(images.forget(Fleet::kStart + 4ms), ElementsAre(*ImageId::parse("m-3")));
}

TEST(UnwatchedImages, OneThatIsBloatedPushesOutNoOther) {
  ImageRecord absences = a_record(2, 0);
  absences.absences.resize(20, {account(1), {}, {}});
  ImageRecord drifts = a_record(2, 0);
  drifts.drifts.resize(20, {account(1), DriftKind::unexpected, {}});
  for (const ImageRecord& bloated : {a_record(2, 20), absences, drifts}) {
    UnwatchedImages images(10);
    images.keep(a_record(1, 2));
    images.keep(bloated);
    images.keep(a_record(3, 1));
    EXPECT_THAT(images.forget(Fleet::kStart), ElementsAre(*ImageId::parse("m-2")));
    EXPECT_EQ(images.take(*ImageId::parse("m-1")), a_record(1, 2));
    EXPECT_EQ(images.take(*ImageId::parse("m-3")), a_record(3, 1));
  }
}

}  // namespace
}  // namespace sharedrift
