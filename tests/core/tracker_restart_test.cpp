// What an earlier life left behind, doctored or not, can only add knowledge.

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
using testing::an_image;
using testing::broken;
using ::testing::ElementsAre;
using testing::failed;
using testing::Fleet;
using ::testing::IsEmpty;
using testing::listed;

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

TEST(Tracker, ARestartHandsOnWhatItWasGiven) {
  const auto image = [] { return an_image("m-1").allowing({1, 3}).requiring({2}); };
  Fleet before({image()});
  before.apply("m-1", listed({1, 2}));
  before.advance(5min);
  before.apply("m-1", listed({1, 3, 9}));
  before.advance(5min);
  before.apply("m-1", listed({1, 9}));  // 2 is missing, 3 is lost, 9 is not to be there
  ASSERT_EQ(before.view("m-1")->missing_accounts, 1);
  const SavedState saved = before.save();
  Fleet after({image()}, saved, 1min);
  ImageRecord expected = saved.images.front();
  ASSERT_EQ(expected.losses.size(), 1U);
  expected.losses.front().proof = {};
  EXPECT_EQ(after.tracker().record(expected.id), expected);
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

TEST(Tracker, ABoundIsKeptThoughItIsTheMomentOfTheSighting) {
  Fleet before({an_image("m-1").allowing({1})});
  before.apply("m-1", listed({1}));
  before.apply("m-1", listed({1, 9}));  // no millisecond later
  Fleet after({an_image("m-1").allowing({1})}, before.save(), 1min);
  EXPECT_EQ(after.view("m-1")->drifts.front().not_before, Fleet::kStart);
}

TEST(Tracker, TheEndOfAnExceptionIsToldOnceWhateverTheRestarts) {
  const auto image = [] { return an_image("m-1").allowing({1}).excepting(7, Fleet::kStart + 10min); };
  Fleet before({image()});
  before.apply("m-1", listed({1, 7}));
  before.advance(10min);
  ASSERT_EQ(before.count(before.tick(), EventType::exception_expired), 1U);
  Fleet after({image()}, before.save(), 1min);
  EXPECT_EQ(after.count_start(EventType::exception_expired), 0U);
}

TEST(Tracker, TheEndOfAnExceptionWhileNobodyWatchedIsToldAtTheStart) {
  const auto image = [] { return an_image("m-1").allowing({1}).excepting(7, Fleet::kStart + 10min); };
  Fleet before({image()});
  before.apply("m-1", listed({1, 7}));
  Fleet after({image()}, before.save(), 11min);
  EXPECT_EQ(after.count_start(EventType::exception_expired), 1U);
  EXPECT_EQ(after.view("m-1")->unexpected_accounts, 1);
}

TEST(Tracker, AnEntryWhoseAccountWasLostInAnEarlierLifeIsUnused) {
  Fleet before({an_image("m-1").allowing({1, 2})});
  before.apply("m-1", listed({1, 2}));
  before.apply("m-1", listed({1}));
  Fleet after({an_image("m-1").allowing({1, 2})}, before.save(), 1min);
  EXPECT_EQ(after.view("m-1")->unused_entries, 1);
  after.reconfigure({an_image("m-1").allowing({1, 2, 3})});
  EXPECT_EQ(after.view("m-1")->unused_entries, 2);
}

TEST(Tracker, WhatARestartChangesIsSavedAtOnce) {
  Fleet before({an_image("m-1").allowing({9}).as_canary()});
  before.apply("m-1", listed({9}));
  Fleet same({an_image("m-1").allowing({9}).as_canary()}, before.save(), 1min);
  EXPECT_FALSE(same.start().changed.front().urgent);
  Fleet after({an_image("m-1").as_canary()}, before.save(), 1min);
  EXPECT_TRUE(after.start().changed.front().urgent) << "the canary's drift began, which no event tells";
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
      {"last_attempt gone", [](auto&, ImageRecord& r) { r.last_poll.reset(); }},
      {"last_attempt to come", [far](auto&, ImageRecord& r) { r.last_poll = far; }},
      {"shared_accounts", [](auto&, ImageRecord& r) { r.shared_accounts = 0; }},
      {"negative", [](auto&, ImageRecord& r) { r.shared_accounts = r.unused_entries = r.unlisted = -9; }},
      {"total_count", [](auto&, ImageRecord& r) { r.total_count = -1; }},
      {"listing_complete", [](auto&, ImageRecord& r) { r.listing_complete = true; }},
      {"counters", [](auto&, ImageRecord& r) { r.counters = {}; }},
      {"failures", [](auto&, ImageRecord& r) { r.counters.failures = 99; }},
      {"sightings gone", [](auto&, ImageRecord& r) { r.sightings.clear(); }},
      {"sightings absent",
       [](auto&, ImageRecord& r) {
         r.losses.clear();
         for (const Sighting& s : r.sightings)
           r.losses.push_back({s.account, s.last_seen, 7, true, -5});
       }},
      {"sightings to come",
       [far](auto&, ImageRecord& r) {
         r.losses.clear();
         for (Sighting& s : r.sightings) {
           s.not_before = s.first_seen = s.last_seen = far;
           r.losses.push_back({s.account, far});
         }
       }},
      {"sightings of 1970",
       [](auto&, ImageRecord& r) {
         r.losses.clear();
         for (Sighting& s : r.sightings) {
           s.not_before = s.first_seen = s.last_seen = WallTime{};
           r.losses.push_back({s.account, WallTime{}});
         }
       }},
      {"losses gone", [](auto&, ImageRecord& r) { r.losses.clear(); }},
      {"losses of nobody",
       [far](auto&, ImageRecord& r) {
         r.losses = {{*AccountId::parse("4711"), far, 7, true, -5}};
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
  saved.images.front().last_complete = before.now().wall + 2min;
  Fleet near({an_image("m-1").allowing({1})}, saved, 1min);
  EXPECT_EQ(near.view("m-1")->unexpected_accounts, 0) << "clocks are set by a minute";
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
  ASSERT_EQ(before.view("m-1")->unexpected_accounts_min, 7);
  Fleet after({an_image("m-1").allowing({1})}, before.save(), 1min);
  EXPECT_EQ(after.view("m-1")->unexpected_accounts_min, 7) << "a restart is no proof";
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
    const Tracker tracker(watch, state, now, step);
    std::erase_if(step.events, [](const Event& e) { return e.type != EventType::monitoring_gap; });
    return step.events;
  };
  EXPECT_THAT(start(saved, 5min), IsEmpty()) << "an interval is no gap";
  const auto gap = start(saved, 3h);
  ASSERT_EQ(gap.size(), 1U);
  EXPECT_EQ(gap[0].text("from"), format_rfc3339(Fleet::kStart));
  EXPECT_EQ(gap[0].text("to"), format_rfc3339(Fleet::kStart + 3h));
  EXPECT_EQ(gap[0].text("seconds"), "10800");
  EXPECT_EQ(start(saved, 6min).size(), 1U) << "the shortest interval counts";
  SavedState mute = saved;
  mute.last_alive.reset();
  EXPECT_EQ(start(mute, 3h).at(0).text("from"), format_rfc3339(Fleet::kStart)) << "by the last poll then";
  const auto back = start(saved, -2h);
  ASSERT_EQ(back.size(), 1U) << "a clock that was set back hides no gap";
  EXPECT_EQ(back[0].find("seconds"), nullptr);
  EXPECT_THAT(start(saved, -60s), IsEmpty()) << "clocks are set by that much";
  EXPECT_EQ(start(saved, -60s - 1ms).size(), 1U);
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

TEST(Tracker, ALossToComeIsNone) {
  Fleet before({an_image("m-1").allowing({1})});
  before.apply("m-1", listed({1, 9}));
  before.advance(5min);
  before.apply("m-1", listed({1}));
  SavedState saved = before.save();
  saved.images.front().losses.front().first_missed += std::chrono::hours{24};
  Fleet after({an_image("m-1").allowing({1})}, saved, 1min);
  EXPECT_EQ(after.apply("m-1", listed({1})).events.front().text("not_after"),
            format_rfc3339(after.now().wall))
      << "the first listing without it that can have been";
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

}  // namespace
}  // namespace sharedrift
