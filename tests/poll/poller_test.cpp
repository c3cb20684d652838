#include "poll/poller.hpp"

#include "recording.hpp"
#include "support/fake_source.hpp"
#include "support/fleet.hpp"
#include "support/recording_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::an_image;
using testing::failed;
using testing::FakeShareSource;
using testing::listed;
using testing::ManualClock;
using testing::RecordingListener;
using testing::RecordingStore;

/// A poller with everything around it on one manual clock.
struct World {
  World(int images, Millis interval, Millis latency, std::size_t concurrency, FakeShareSource::Script script)
      : source(clock, timers, std::move(script), latency, concurrency) {
    WatchList watch;
    std::vector<Schedule::Entry> entries;
    for (int i = 0; i < images; ++i) {
      watch.images.push_back(
          an_image("m-" + std::to_string(i)).allowing({1}).stale_after(interval * 3).build());
      entries.push_back({watch.images.back()->id, interval});
    }
    watch.interval = interval;
    Step start;
    tracker = std::make_unique<Tracker>(watch, SavedState{}, clock.now(), start);
    schedule = std::make_unique<Schedule>(entries, Schedule::Spread::none, clock.mono());
    publisher.publish(start, *tracker);
  }
  /// Until that many more polls have ended.
  void poll(std::size_t polls) {
    listener.stop = {};
    listener.stop_after = listener.polls + polls;
    Poller poller({clock,
                   random,
                   transport,
                   timers,
                   {{"default", {&source, Millis{1000}, 64}}},
                   *tracker,
                   *schedule,
                   publisher,
                   listener,
                   answers});
    poller.run(listener.stop.get_token());
  }
  ManualClock clock;
  testing::SeededRandom random;
  testing::ScriptedTransport transport{
      clock, [](const HttpRequest&, std::size_t) -> testing::ScriptedTransport::Reply {
        throw std::logic_error("the fake source needs no transport");
      }};
  TimerQueue timers;
  FakeShareSource source;
  std::unique_ptr<Tracker> tracker;
  std::unique_ptr<Schedule> schedule;
  testing::RecordingSink sink;
  RecordingStore store{clock};
  RecordingListener listener;
  StepPublisher publisher{clock, sink, store, listener};
  RepeatedAnswers answers;
};

TEST(Poller, PollsAThousandImagesInOneCycleAndLosesNoUpdate) {
  World world(1000, 60s, 50ms, 16, [](const ImageId& image) {
    return image.str().back() == '7' ? listed({1, 9}) : listed({1});
  });
  const MonoTime start = world.clock.mono();
  world.poll(1000);
  std::size_t drifting = 0;
  for (const auto& [id, view] : world.listener.views) {
    EXPECT_EQ(view->counters.listings, 1U) << id.str();
    drifting += static_cast<std::size_t>(*view->unexpected_accounts);
  }
  EXPECT_EQ(world.listener.views.size(), 1000U);
  EXPECT_EQ(drifting, 100U);
  EXPECT_EQ(world.sink.count(EventType::drift_opened), 100U);
  EXPECT_EQ(world.store.events, world.sink.events.size()) << "one event is one line and one row";
  EXPECT_LE(world.clock.mono() - start, 3200ms) << "1000 / 16 x 50 ms and nothing on top";
  EXPECT_LE(world.source.max_waiting, 64U);
}

TEST(Poller, AccountsThatComeAndGoByTheThousandFloodNoLog) {
  std::vector<AccountId> thousands;
  for (int number = 2; number <= 4001; ++number)
    thousands.push_back(testing::account(number));
  std::sort(thousands.begin(), thousands.end());
  bool shared = false;
  World world(10, 60s, 1ms, 16, [&](const ImageId& image) {
    if (image.str() == "m-0") shared = !shared;
    return listed(shared ? thousands : std::vector<AccountId>{});
  });
  world.poll(10);
  EXPECT_EQ(world.sink.count(EventType::drift_opened), 20'000U);
  ASSERT_EQ(world.sink.count(EventType::events_left_out), 1U);
  std::uint64_t open = 0;
  for (const auto& [id, view] : world.listener.views)
    open += static_cast<std::uint64_t>(*view->unexpected_accounts);
  EXPECT_EQ(open, 40'000U) << "nothing that is open is lost";
  world.publisher.finish(*world.tracker);
  std::int64_t left_out = 0;
  for (const Event& event : world.sink.events) {
    if (event.type == EventType::events_left_out) left_out += std::get<std::int64_t>(*event.find("of_drift"));
  }
  EXPECT_EQ(left_out, 20'000) << "whoever stops says how many were left out";
  world.poll(10);
  EXPECT_EQ(world.store.events, world.sink.events.size());
}

TEST(Poller, GoesOnAtOnceWhereTheSourceItselfEndsPolls) {
  // As many under way as are handed over at a time: when all of them end in pump(), nothing else wakes the
  // loop.
  World world(200, 3600s, 1ms, 64, [](const ImageId&) { return listed({1}); });
  const MonoTime start = world.clock.mono();
  world.poll(200);
  EXPECT_EQ(world.clock.mono() - start, 4ms);
}

TEST(Poller, RowsOfAPollThatIsBrokenOffRaiseAndItBeginsAnewAtOnce) {
  World world(1, 60s, 700ms, 1, [](const ImageId&) { return listed({1}); });
  world.poll(1);
  ASSERT_EQ(world.sink.count(EventType::drift_opened), 0U);
  world.source.rows_so_far = testing::accounts({1, 9});
  const auto reload =
      world.timers.at(world.clock.mono() + 60s - 100ms, [&world] { world.listener.stop.request_stop(); });
  world.poll(100);
  EXPECT_EQ(world.sink.count(EventType::drift_opened), 1U) << "the stranger on the first page";
  EXPECT_EQ(world.listener.views.begin()->second->state, ImageState::incomplete) << "nothing is proven";
  EXPECT_LE(world.schedule->next_due(), world.clock.mono());
}

TEST(Poller, KeepsItsPeriod) {
  World world(1, 60s, 700ms, 1, [](const ImageId&) { return listed({1}); });
  const MonoTime start = world.clock.mono();
  world.poll(11);
  EXPECT_EQ(world.clock.mono() - start, 600s + 700ms);
  EXPECT_EQ(world.listener.overruns, 0U);
}

TEST(Poller, CountsOverruns) {
  World world(2, 1s, 900ms, 1, [](const ImageId&) { return listed({1}); });
  world.poll(10);
  EXPECT_GT(world.listener.overruns, 0U);
}

TEST(Poller, AFailureOfOneImageIsNoneOfAnother) {
  World world(10, 60s, 10ms, 4, [](const ImageId& image) {
    return image.str() == "m-3" ? failed(Reason::timeout) : listed({1});
  });
  world.poll(20);
  EXPECT_EQ(world.listener.views.at(*ImageId::parse("m-3"))->state, ImageState::unreachable);
  EXPECT_EQ(world.listener.views.at(*ImageId::parse("m-4"))->state, ImageState::ok);
}

TEST(Poller, WhatWasInFlightIsDueAgainAfterAStop) {
  World world(8, 60s, 10ms, 2, [](const ImageId&) { return listed({1}); });
  world.poll(3);
  EXPECT_EQ(world.schedule->next_due(), MonoTime{std::chrono::hours{1}}) << "still due since the start";
}

TEST(Poller, SavesNewsAtOnce) {
  World world(1, 60s, 10ms, 1, [](const ImageId&) { return listed({1}); });
  world.poll(1);
  EXPECT_EQ(world.store.saves, 1U) << "the first listing is news";
  world.poll(1);
  EXPECT_EQ(world.store.saves, 1U) << "the second brought a time and a count";
}

TEST(Poller, SavesTimesAndCountersWithinHalfAMinute) {
  World world(2000, 3600s, 1ms, 64, [](const ImageId&) { return listed({1}); });
  const MonoTime start = world.clock.mono();
  world.poll(2000);
  ASSERT_EQ(world.store.saves, 2000U) << "the first listings are news";
  world.poll(2001);  // the last one is the third of its image
  EXPECT_EQ(world.store.saves, 4000U);
  EXPECT_GT(world.store.last_save, start + 3600s + 20s) << "together, not one by one";
  EXPECT_LT(world.store.last_save, start + 3600s + 30s);
  for (const auto& [id, record] : world.store.records)
    EXPECT_EQ(record.counters.listings, 2U) << id.str();
}

TEST(Poller, SavesEverythingAtTheEnd) {
  World world(3, 60s, 10ms, 1, [](const ImageId&) { return listed({1}); });
  world.poll(6);
  world.publisher.save_all(*world.tracker);
  ASSERT_EQ(world.store.records.size(), 3U);
  for (const auto& [id, record] : world.store.records)
    EXPECT_EQ(record.counters.listings, 2U) << id.str();
}

TEST(Poller, WakesToSaveWhenNothingIsToBePolled) {
  World world(1, 3600s, 10ms, 1, [](const ImageId&) { return listed({1}); });
  world.poll(2);
  EXPECT_EQ(world.store.records.begin()->second.counters.listings, 1U);
  world.poll(1);  // on the way to the third poll the second is saved
  EXPECT_EQ(world.store.records.begin()->second.counters.listings, 2U);
}

}  // namespace
}  // namespace sharedrift
