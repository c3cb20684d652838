// What the tracker tells beside what happened: names, evidence, causes and counts. And what it wants saved.

#include "core/tracker.hpp"
#include "support/fleet.hpp"
#include "the_event.hpp"

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
using testing::the_event;

std::vector<std::string> ids_of(const std::vector<ImageRecord>& records) {
  std::vector<std::string> out;
  for (const ImageRecord& record : records)
    out.push_back(record.id.str());
  return out;
}

TEST(TrackerEvents, AFailureIsToldWithAllThatTheApiSaidOfIt) {
  Fleet fleet({an_image("m-1").allowing({1})});
  Observation refused = failed(Reason::forbidden);
  refused.failure.code = "NoPermission";
  refused.failure.http_status = 403;
  refused.failure.request_id = "6E4B1F3C";
  const Event event = the_event(fleet.apply("m-1", refused), EventType::listing_failed);
  EXPECT_EQ(event.text("reason"), "forbidden");
  EXPECT_EQ(event.text("detail"), "test");
  EXPECT_EQ(event.text("code"), "NoPermission");
  EXPECT_EQ(event.text("http_status"), "403");
  EXPECT_EQ(event.text("request_id"), "6E4B1F3C");
  EXPECT_EQ(event.text("failures"), "1");
  const Event mute = the_event(fleet.apply("m-1", failed(Reason::dns)), EventType::listing_failed);
  EXPECT_EQ(mute.text("failures"), "2");
  for (const char* key : {"code", "http_status", "request_id"})
    EXPECT_EQ(mute.find(key), nullptr) << key << ": no answer came";
}

TEST(TrackerEvents, AListingThatBrokeOffIsIncompleteAndOneThatNeverCameFailed) {
  Fleet fleet({an_image("m-1"), an_image("m-2"), an_image("m-3")});
  EXPECT_EQ(fleet.count(fleet.apply("m-1", broken({1}, Reason::timeout)), EventType::listing_incomplete), 1U);
  EXPECT_EQ(fleet.count(fleet.apply("m-2", failed(Reason::unstable)), EventType::listing_incomplete), 1U);
  EXPECT_EQ(fleet.count(fleet.apply("m-3", failed(Reason::invalid_image)), EventType::listing_failed), 1U);
}

TEST(TrackerEvents, ANewReasonIsToldAndTheSameOneIsNot) {
  Fleet fleet({an_image("m-1")});
  fleet.apply("m-1", failed(Reason::dns));
  EXPECT_THAT(fleet.apply("m-1", failed(Reason::dns)).events, IsEmpty());
  EXPECT_THAT(fleet.types(fleet.apply("m-1", failed(Reason::connect))),
              ElementsAre(EventType::listing_failed));
}

TEST(TrackerEvents, AStateThatChangesIsToldWithBothItsEnds) {
  Fleet fleet({an_image("m-1")});
  Event event = the_event(fleet.apply("m-1", failed(Reason::dns)), EventType::image_state_changed);
  EXPECT_EQ(event.text("from"), "never_read");
  EXPECT_EQ(event.text("to"), "unreachable");
  fleet.apply("m-1", failed(Reason::dns));
  fleet.advance(5min);
  const Step step = fleet.apply("m-1", listed({}));
  event = the_event(step, EventType::image_state_changed);
  EXPECT_EQ(event.text("to"), "empty");
  EXPECT_EQ(the_event(step, EventType::listing_recovered).text("failures"), "2");
  EXPECT_EQ(fleet.view("m-1")->state_since, fleet.now().wall);
  fleet.advance(5min);
  EXPECT_THAT(fleet.apply("m-1", listed({})).events, IsEmpty());
  EXPECT_EQ(fleet.view("m-1")->state_since, fleet.now().wall - 5min) << "since it is so";
  EXPECT_THAT(fleet.apply("m-1", failed(Reason::dns)).events.back().text("failures"), "1")
      << "counted from the last success";
}

TEST(TrackerEvents, DriftNamesItsEvidence) {
  Fleet fleet({an_image("m-1").allowing({1})});
  Observation seen = listed({1, 9});
  seen.request_ids = {"AAAA", "BBBB"};
  const Event event = the_event(fleet.apply("m-1", seen), EventType::drift_opened);
  EXPECT_EQ(event.text("request_ids"), "AAAA,BBBB");
  EXPECT_EQ(event.text("config"), "0123456789ab");
  const Step reload = fleet.reconfigure({an_image("m-1").allowing({1, 9})});
  EXPECT_EQ(the_event(reload, EventType::drift_closed).find("request_ids"), nullptr)
      << "no request brought it";
}

TEST(TrackerEvents, NamesAreThoseOfTheConfiguration) {
  auto policy = std::make_shared<ImagePolicy>(*an_image("m-1").build());
  policy->name = "edge-base";
  WatchList watch;
  watch.images = {policy};
  watch.account_names = {{account(9), "partner-north"}};
  const Instant now{MonoTime{1h}, Fleet::kStart};
  Step start;
  Tracker tracker(watch, SavedState{}, now, start);
  const Step step = tracker.apply(policy->id, listed({8, 9}), now);
  ASSERT_EQ(step.events.size(), 2U);
  EXPECT_EQ(step.events[0].find("account_name"), nullptr) << "the address book lacks it";
  EXPECT_EQ(step.events[0].find("config"), nullptr);
  EXPECT_EQ(step.events[1].text("account_name"), "partner-north");
  EXPECT_EQ(step.events[1].text("image_name"), "edge-base");
}

TEST(TrackerEvents, TheEndOfAnExceptionNamesWhoAnswersForIt) {
  Fleet fleet({an_image("m-1").excepting(7, Fleet::kStart + 10min)});
  fleet.apply("m-1", listed({7}));
  fleet.advance(10min);
  const Event event = the_event(fleet.tick(), EventType::exception_expired);
  EXPECT_EQ(event.text("account_id"), account(7).str());
  EXPECT_EQ(event.text("owner"), "jane");
  EXPECT_EQ(event.text("ticket"), "SEC-1");
  EXPECT_EQ(event.text("expired"), format_rfc3339(Fleet::kStart + 10min));
}

TEST(TrackerEvents, ThatAnAllowedAccountComesAndGoesIsNoNews) {
  Fleet fleet({an_image("m-1").allowing({1}), an_image("m-2").allowing({1})});
  fleet.apply("m-1", listed({1, 9}));
  EXPECT_THAT(fleet.apply("m-1", listed({9})).events, IsEmpty()) << "another one's drift is open";
  EXPECT_THAT(fleet.apply("m-1", listed({1, 9})).events, IsEmpty());
  EXPECT_EQ(fleet.view("m-1")->counters.flaps, 0U);
}

TEST(TrackerEvents, ADriftThatClosesTellsItsWholeWindow) {
  Fleet fleet({an_image("m-1").allowing({1})});
  fleet.apply("m-1", listed({1}));
  fleet.advance(5min);
  fleet.apply("m-1", listed({1, 9}));
  fleet.advance(5min);
  fleet.apply("m-1", listed({1, 9}));
  fleet.advance(5min);
  fleet.apply("m-1", listed({1}));
  fleet.advance(5min);
  const Event event = the_event(fleet.apply("m-1", listed({1})), EventType::drift_closed);
  EXPECT_EQ(event.text("not_before"), format_rfc3339(Fleet::kStart));
  EXPECT_EQ(event.text("first_seen"), format_rfc3339(Fleet::kStart + 5min));
  EXPECT_EQ(event.text("opened"), format_rfc3339(Fleet::kStart + 5min));
  EXPECT_EQ(event.text("last_seen"), format_rfc3339(Fleet::kStart + 10min));
  EXPECT_EQ(event.text("not_after"), format_rfc3339(Fleet::kStart + 15min)) << "the first listing without it";
}

TEST(TrackerEvents, AMissingAccountOfAFreshStartIsMarkedAndOneThatWasThereIsNot) {
  Fleet fresh({an_image("m-1").requiring({1})});
  fresh.apply("m-1", failed(Reason::dns));
  fresh.apply("m-1", listed({}));
  EXPECT_EQ(the_event(fresh.apply("m-1", listed({})), EventType::drift_opened).text("first_run"), "true");
  Fleet later({an_image("m-1")});
  for (int i = 0; i < 3; ++i)
    later.apply("m-1", listed({}));
  later.reconfigure({an_image("m-1").requiring({1})});
  later.apply("m-1", listed({}));
  EXPECT_EQ(the_event(later.apply("m-1", listed({})), EventType::drift_opened).text("first_run"), "false")
      << "it was watched long before it was required";
}

TEST(TrackerEvents, AMissingAccountIsToldWithTheMomentsBetweenWhichItWent) {
  Fleet fleet({an_image("m-1").requiring({1})});
  fleet.apply("m-1", listed({1}));
  fleet.advance(5min);
  fleet.apply("m-1", listed({}));
  fleet.advance(5min);
  const Event event = the_event(fleet.apply("m-1", listed({})), EventType::drift_opened);
  EXPECT_EQ(event.text("last_seen"), format_rfc3339(Fleet::kStart));
  EXPECT_EQ(event.text("not_after"), format_rfc3339(Fleet::kStart + 5min)) << "the first listing without it";
  const Event back = the_event(fleet.apply("m-1", listed({1})), EventType::drift_closed);
  EXPECT_EQ(back.text("kind"), "missing");
  for (const char* key : {"not_before", "first_seen", "last_seen", "not_after"})
    EXPECT_EQ(back.find(key), nullptr) << key << " is of an unexpected account, or of one that is missing";
}

TEST(TrackerEvents, WhatIsNotWatchedAnyMoreAfterARestartIsClosedAndCounted) {
  Fleet before({an_image("m-1").requiring({2})});
  before.apply("m-1", listed({9}));
  before.apply("m-1", listed({9}));
  Fleet after({an_image("m-2")}, before.save(), 1min);
  ASSERT_THAT(after.start().unwatched, SizeIs(1));
  EXPECT_EQ(after.start().unwatched.front().record.id.str(), "m-1");
  const Event event = the_event(after.start(), EventType::drift_closed, 2);
  EXPECT_EQ(event.text("account_id"), account(9).str());
  EXPECT_EQ(event.text("kind"), "unexpected");
  EXPECT_EQ(event.text("reason"), "unwatched");
  EXPECT_EQ(event.text("opened"), format_rfc3339(before.now().wall));
  EXPECT_EQ(after.tracker().closes().at(static_cast<std::size_t>(CloseReason::unwatched)), 2U)
      << "one that was not to be there, one that was missing";
}

TEST(TrackerEvents, AMassChangeIsToldInNumbers) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({1}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({1, 8, 9}));
  Step step;
  for (int i = 0; i < 10; ++i)
    step = fleet.apply("m-" + std::to_string(i), i < 3 ? listed({1}) : listed({1, 8, 9}));
  Event event = the_event(step, EventType::mass_change_held);
  EXPECT_EQ(event.text("images_losing"), "3");
  EXPECT_EQ(event.text("images_watched"), "10");
  EXPECT_EQ(event.text("limit_percent"), "20");
  EXPECT_EQ(event.text("clears_held"), "6");
  for (int i = 0; i < 10; ++i)
    step = fleet.apply("m-" + std::to_string(i), i >= 3 && i < 7 ? listed({1}) : listed({1, 8, 9}));
  event = the_event(step, EventType::mass_change_held);
  EXPECT_EQ(event.text("images_losing"), "4") << "the losers of the cycle before are forgotten";
  EXPECT_EQ(event.text("clears_held"), "8") << "of this cycle";
}

TEST(TrackerEvents, EveryImageThatLosesCountsOnceInItsCycle) {
  std::vector<testing::ImageBuilder> images;
  for (int i = 0; i < 10; ++i)
    images.push_back(an_image("m-" + std::to_string(i)).allowing({1}));
  Fleet fleet(images, 1);
  fleet.apply_all(listed({1, 7, 8, 9}));
  for (const auto& left : {listed({1, 7, 8}), listed({1, 7}), listed({1})})
    fleet.apply("m-0", left);  // one image, three times
  for (int i = 1; i < 10; ++i)
    fleet.apply("m-" + std::to_string(i), listed({1, 7, 8, 9}));
  EXPECT_EQ(fleet.tracker().clears_held(), 0);
  EXPECT_EQ(fleet.view("m-0")->unexpected_accounts, 0);
}

// A member of the record that each poll changes and that is_urgent_change() does not leave out is saved at
// each poll.
TEST(TrackerEvents, APollLikeTheLastOneIsNoNews) {
  const std::vector<Observation> polls{listed({1}),
                                       listed({}),
                                       listed({1, 9}),
                                       broken({1, 9}, Reason::count_mismatch),
                                       broken({1}, Reason::throttled),
                                       failed(Reason::timeout)};
  for (Observation seen : polls) {
    Fleet fleet({an_image("m-1").allowing({1}).requiring({2})});
    fleet.apply("m-1", listed({1, 2, 9}));
    for (int poll = 1; poll <= 6; ++poll) {
      fleet.advance(5min);
      seen.pages = seen.passes = poll;
      seen.duration = Millis{poll};
      seen.request_ids = {std::to_string(poll)};
      const Step step = fleet.apply("m-1", seen);
      if (poll > 3) {
        EXPECT_FALSE(step.changed.front().urgent) << to_string(seen.failure.reason) << ", poll " << poll;
      }
    }
  }
}

TEST(TrackerEvents, RoutineWaitsToBeSavedOnceAndInItsOrder) {
  Fleet fleet({an_image("m-1"), an_image("m-2"), an_image("m-3")});
  EXPECT_FALSE(fleet.tracker().has_unsaved()) << "a start has nothing to save";
  fleet.apply_all(listed({}));
  EXPECT_FALSE(fleet.tracker().has_unsaved()) << "what is urgent does not wait";
  fleet.apply("m-2", listed({}));
  fleet.apply("m-1", listed({}));
  fleet.apply("m-2", listed({}));
  EXPECT_TRUE(fleet.tracker().has_unsaved());
  EXPECT_THAT(ids_of(fleet.tracker().take_unsaved()), ElementsAre("m-2", "m-1"));
  EXPECT_FALSE(fleet.tracker().has_unsaved());
  fleet.apply("m-2", listed({}));
  EXPECT_TRUE(fleet.tracker().has_unsaved()) << "it waits again";
  fleet.apply("m-3", listed({}));
  fleet.reconfigure({an_image("m-3")});
  EXPECT_THAT(ids_of(fleet.tracker().take_unsaved()), ElementsAre("m-3")) << "the other is not watched";
}

}  // namespace
}  // namespace sharedrift
