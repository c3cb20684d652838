#include "http_server/lane_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using Waiting = LaneQueue::Waiting;

const MonoTime kNow{1h};

constexpr std::uint64_t kHasLeft = 555;

std::uint64_t taken(LaneQueue& queue, MonoTime now = kNow) {
  const auto next = queue.take(now, [](std::uint64_t id) {
    return id == 99                ? LaneQueue::Presence::gone
           : id % 1000 == kHasLeft ? LaneQueue::Presence::left
                                   : LaneQueue::Presence::here;
  });
  return next ? next->id : 0;
}

TEST(LaneQueue, TakesInTurnAsManyAsThereAreWorkers) {
  LaneQueue queue(2, false);
  for (const std::uint64_t id : {1U, 99U, 2U, 3U})
    queue.push({id, "a", {}});
  EXPECT_EQ(taken(queue), 1U);
  EXPECT_EQ(taken(queue), 2U) << "99 is gone";
  EXPECT_EQ(taken(queue), 0U);
  queue.done({1, "a", {}}, 1s, kNow);
  EXPECT_EQ(taken(queue), 3U);
}

TEST(LaneQueue, WhoHasLeftComesAfterAllWhoAreHere) {
  LaneQueue queue(1, false);
  queue.push({kHasLeft, "a", {}});
  queue.push({kHasLeft + 1000, "b", {}});
  queue.push({1, "busy", {}});
  queue.push({2, "c", {}});
  EXPECT_EQ(taken(queue), 1U);
  queue.done({1, "busy", {}}, 5s, kNow);
  queue.push({3, "busy", {}});
  for (const std::uint64_t id : {2U, 3U, 555U, 1555U}) {
    EXPECT_EQ(taken(queue), id);
    queue.done({id, "other", {}}, 0s, kNow);
  }
}

TEST(LaneQueue, WhoKeptTheWorkersBusyComesLast) {
  LaneQueue queue(1, false);
  queue.push({1, "busy", {}});
  EXPECT_EQ(taken(queue), 1U);
  for (std::uint64_t id = 2; id < 100; ++id)
    queue.push({id, "busy", {}});
  queue.push({100, "new", {}});
  queue.done({1, "busy", {}}, 1s, kNow);
  EXPECT_EQ(taken(queue), 100U);
  queue.done({100, "new", {}}, 3s, kNow);
  EXPECT_EQ(taken(queue), 2U);
}

TEST(LaneQueue, OfACrowdTheNewestComesFirstWhereThatIsWanted) {
  LaneQueue queue(1, true);
  for (std::uint64_t id = 1; id < 50; ++id)
    queue.push({id, std::to_string(id), {}});
  EXPECT_EQ(taken(queue), 49U);
}

TEST(LaneQueue, WhoWasWrongOnceIsNoWorseThanACrowdOfStrangers) {
  LaneQueue queue(1, true);
  queue.push({1, "mistaken", {}});
  EXPECT_EQ(taken(queue), 1U);
  queue.done({1, "mistaken", {}}, 50ms, kNow);
  for (std::uint64_t id = 2; id < 50; ++id)
    queue.push({id, std::to_string(id), {}});
  queue.push({50, "mistaken", {}});
  EXPECT_EQ(taken(queue), 50U);
}

TEST(LaneQueue, WhoIsKnownToBeGoodGoesBeforeStrangersForLong) {
  LaneQueue queue(1, true);
  queue.push({1, "good", {}});
  EXPECT_EQ(taken(queue), 1U);
  queue.done({1, "good", {}}, -50ms, kNow);
  for (std::uint64_t id = 100; id < 10'000; ++id) {
    if (id % 1000 == kHasLeft) continue;
    queue.push({id, std::to_string(id), {}});
    const MonoTime later = kNow + id * 100ms;
    ASSERT_EQ(taken(queue, later), id);
    queue.done({id, std::to_string(id), {}}, 50ms, later);
  }
  const MonoTime later = kNow + 1000s;
  queue.push({10'000, "10000", {}});
  queue.push({10'001, "good", {}});
  queue.push({10'002, "10002", {}});
  EXPECT_EQ(taken(queue, later), 10'001U) << "though thousands have been forgotten meanwhile";
}

TEST(LaneQueue, WhatIsTheSameForAllKeepsOneWorkerOnly) {
  LaneQueue queue(2, false);
  for (std::uint64_t id = 1; id < 5; ++id)
    queue.push({id, "a", "/"});
  queue.push({5, "a", "/config"});
  EXPECT_EQ(taken(queue), 1U);
  EXPECT_EQ(taken(queue), 5U) << "the others would only wait for the first";
  queue.done({5, "a", "/config"}, 1s, kNow);
  EXPECT_EQ(taken(queue), 0U);
  queue.done({1, "a", "/"}, 1s, kNow);
  EXPECT_EQ(taken(queue), 2U);
}

}  // namespace
}  // namespace sharedrift
