#include "core/schedule.hpp"

#include "support/fakes.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr MonoTime kStart{std::chrono::hours{1}};

ImageId id(int number) {
  return *ImageId::parse("m-" + std::to_string(number));
}
std::vector<Schedule::Entry> entries(int count, Millis interval) {
  std::vector<Schedule::Entry> out;
  for (int i = 0; i < count; ++i)
    out.push_back({id(i), interval});
  return out;
}

TEST(Schedule, PollsEveryImageAtOnceAfterAStart) {
  Schedule schedule(entries(3, 5min), Schedule::Spread::even, kStart);
  EXPECT_EQ(schedule.next_due(), kStart);
  EXPECT_THAT(schedule.take_due(kStart), SizeIs(3));
  EXPECT_THAT(schedule.take_due(kStart), IsEmpty()) << "in flight";
  EXPECT_EQ(schedule.next_due(), MonoTime::max());
}

TEST(Schedule, PeriodsDoNotStretchByTheWork) {
  Schedule schedule(entries(1, 60s), Schedule::Spread::none, kStart);
  MonoTime now = kStart;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(schedule.next_due(), kStart + i * 60s);
    now = schedule.next_due();
    ASSERT_THAT(schedule.take_due(now), SizeIs(1));
    EXPECT_EQ(schedule.finish(id(0), now + 7s, 0.5), 0U);
  }
}

TEST(Schedule, CountsOverrunsAndCatchesUpOnce) {
  Schedule schedule(entries(1, 60s), Schedule::Spread::none, kStart);
  schedule.take_due(kStart);
  EXPECT_EQ(schedule.finish(id(0), kStart + 200s, 0), 3U);
  EXPECT_EQ(schedule.next_due(), kStart + 180s) << "due at once, and only once";
  schedule.take_due(kStart + 200s);
  EXPECT_EQ(schedule.finish(id(0), kStart + 201s, 0), 0U);
  EXPECT_EQ(schedule.next_due(), kStart + 240s) << "back on its grid";
}

TEST(Schedule, SleepingThroughPeriodsIsOnePollNotABurst) {
  Schedule schedule(entries(10, 60s), Schedule::Spread::even, kStart);
  for (const ImageId& image : schedule.take_due(kStart))
    schedule.finish(image, kStart, 0);
  EXPECT_THAT(schedule.take_due(kStart + 24h), SizeIs(10));
}

TEST(Schedule, SpreadsEvenlyAndStably) {
  constexpr int kImages = 1000;
  constexpr Millis kInterval = 100s;
  Schedule schedule(entries(kImages, kInterval), Schedule::Spread::even, kStart);
  for (const ImageId& image : schedule.take_due(kStart))
    schedule.finish(image, kStart, 0);
  std::map<ImageId, MonoTime> first;
  std::array<int, 10> buckets{};
  for (int tenth = 0; tenth < 10; ++tenth) {
    const MonoTime now = kStart + (tenth + 1) * 10s;
    for (const ImageId& image : schedule.take_due(now)) {
      ++buckets.at(static_cast<std::size_t>(tenth));
      first[image] = now;
      schedule.finish(image, now, 0);
    }
  }
  for (const int count : buckets)
    EXPECT_NEAR(count, kImages / 10, 40);
  EXPECT_EQ(first.size(), static_cast<std::size_t>(kImages));
  for (int tenth = 0; tenth < 10; ++tenth) {
    const MonoTime now = kStart + kInterval + (tenth + 1) * 10s;
    for (const ImageId& image : schedule.take_due(now))
      EXPECT_EQ(first.at(image) + kInterval, now);
  }
}

TEST(Schedule, JitterMovesAMomentButNotTheGrid) {
  Schedule schedule(entries(1, 100s), Schedule::Spread::even, kStart);
  schedule.take_due(kStart);
  schedule.finish(id(0), kStart, 0);
  const MonoTime own = schedule.next_due();
  for (int i = 1; i <= 50; ++i) {
    const MonoTime due = schedule.next_due();
    schedule.take_due(due);
    schedule.finish(id(0), due, 0.9);
    EXPECT_EQ(schedule.next_due(), own + i * 100s + 9s);
  }
}

TEST(Schedule, ServesTheOldestDeadlineFirst) {
  Schedule schedule({{id(1), 60s}, {id(2), 10s}}, Schedule::Spread::none, kStart);
  for (const ImageId& image : schedule.take_due(kStart))
    schedule.finish(image, kStart, 0);
  EXPECT_THAT(schedule.take_due(kStart + 300s), ElementsAre(id(2), id(1)));
}

TEST(Schedule, AFloodOfHurriesIsOnePollMore) {
  Schedule schedule(entries(1, 100s), Schedule::Spread::none, kStart);
  schedule.take_due(kStart);
  schedule.finish(id(0), kStart, 0);
  EXPECT_FALSE(schedule.hurry(id(7), kStart));
  int polls = 0;
  for (MonoTime now = kStart + 1s; now <= kStart + 300s; now += 1s) {
    EXPECT_TRUE(schedule.hurry(id(0), now));
    for (const ImageId& image : schedule.take_due(now)) {
      ++polls;
      schedule.finish(image, now, 0);
    }
  }
  EXPECT_EQ(polls, 3 + 3) << "its own moments, and one between two of them";
}

TEST(Schedule, AHurryKeepsTheOwnMoment) {
  Schedule schedule(entries(2, 100s), Schedule::Spread::none, kStart);
  for (const ImageId& image : schedule.take_due(kStart))
    schedule.finish(image, kStart, 0);
  schedule.hurry(id(1), kStart + 30s);
  EXPECT_THAT(schedule.take_due(kStart + 30s), ElementsAre(id(1)));
  EXPECT_EQ(schedule.finish(id(1), kStart + 31s, 0), 0U) << "none of its own passed";
  EXPECT_EQ(schedule.next_due(), kStart + 100s);
  EXPECT_THAT(schedule.take_due(kStart + 100s), SizeIs(2));
}

TEST(Schedule, WhatIsInFlightNeedsNoHurry) {
  Schedule schedule(entries(1, 100s), Schedule::Spread::none, kStart);
  schedule.take_due(kStart);
  EXPECT_TRUE(schedule.hurry(id(0), kStart + 1s));
  EXPECT_THAT(schedule.take_due(kStart + 1s), IsEmpty());
  EXPECT_EQ(schedule.finish(id(0), kStart + 2s, 0), 0U);
  EXPECT_EQ(schedule.next_due(), kStart + 100s);
}

TEST(Schedule, AnOwnMomentIsNeverTheOneThatIsOver) {
  const Millis interval = 2h;
  const auto phase = stable_hash(id(0).str()) % static_cast<std::uint64_t>(interval.count());
  const MonoTime own{Millis{static_cast<Millis::rep>(phase)}};
  Schedule schedule(entries(1, interval), Schedule::Spread::even, own);
  schedule.take_due(own);
  schedule.finish(id(0), own, 0);
  EXPECT_EQ(schedule.next_due(), own + interval);
  Schedule fresh(entries(1, interval), Schedule::Spread::even, MonoTime{});  // the machine has just begun
  fresh.take_due(MonoTime{});
  fresh.finish(id(0), MonoTime{}, 0);
  EXPECT_EQ(fresh.next_due(), own);
}

TEST(Schedule, OtherImagesAreWatchedWhilePollsAreInFlight) {
  Schedule schedule(entries(2, 100s), Schedule::Spread::none, kStart);
  schedule.take_due(kStart);
  schedule.finish(id(0), kStart, 0);
  schedule.watch({{id(1), 100s}, {id(5), 100s}}, kStart + 1s);
  EXPECT_THAT(schedule.take_due(kStart + 1s), ElementsAre(id(5))) << "the other is in flight";
  schedule.finish(id(0), kStart + 2s, 0);  // it left meanwhile
  schedule.finish(id(1), kStart + 2s, 0);
  schedule.finish(id(5), kStart + 2s, 0);
  EXPECT_THAT(schedule.take_due(kStart + 500s), SizeIs(2));
}

TEST(Schedule, ReleaseMakesWhatWasInFlightDueAgain) {
  Schedule schedule(entries(2, 60s), Schedule::Spread::none, kStart);
  schedule.take_due(kStart);
  schedule.release_all();
  EXPECT_THAT(schedule.take_due(kStart), SizeIs(2));
}

TEST(Schedule, AReloadKeepsDeadlinesAndShortensThem) {
  Schedule schedule(entries(2, 600s), Schedule::Spread::none, kStart);
  for (const ImageId& image : schedule.take_due(kStart))
    schedule.finish(image, kStart, 0);
  schedule.reconfigure({{id(0), 600s}, {id(1), 30s}, {id(7), 600s}}, Schedule::Spread::none, kStart + 10s);
  EXPECT_THAT(schedule.take_due(kStart + 10s), ElementsAre(id(7)));
  EXPECT_THAT(schedule.take_due(kStart + 40s), ElementsAre(id(1)));
  EXPECT_THAT(schedule.take_due(kStart + 600s), ElementsAre(id(0)));
}

TEST(Schedule, IgnoresTheEndOfWhatItDoesNotKnow) {
  Schedule schedule(entries(1, 60s), Schedule::Spread::none, kStart);
  EXPECT_EQ(schedule.finish(id(9), kStart, 0), 0U);
  EXPECT_EQ(schedule.finish(id(0), kStart, 0), 0U) << "was not taken";
  EXPECT_THAT(schedule.take_due(kStart), SizeIs(1));
}

}  // namespace
}  // namespace sharedrift
