#include "http_server/lane_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using Order = LaneQueue::Order;

const MonoTime kNow{1h};

constexpr std::uint64_t kHasLeft = 555;

LaneQueue::Presence presence_of(std::uint64_t id) {
  return id == 99                ? LaneQueue::Presence::gone
         : id % 1000 == kHasLeft ? LaneQueue::Presence::left
                                 : LaneQueue::Presence::here;
}

std::uint64_t taken(LaneQueue& queue, MonoTime now = kNow) {
  const auto next = queue.take(now, presence_of);
  return next ? next->id : 0;
}

void push(LaneQueue& queue, LaneQueue::Waiting waiting, MonoTime now = kNow) {
  queue.push(std::move(waiting), now);
}

/// How many are taken until `id` is.
int checks_until(LaneQueue& queue, std::uint64_t id, MonoTime now) {
  for (int checks = 1;; ++checks) {
    const auto next = queue.take(now, presence_of);
    if (!next || next->id == id) return next ? checks : 1'000'000;
    queue.done(*next, 50ms, false, now);
  }
}

/// The address of an attacker, in one of 256 networks.
std::string address(std::uint64_t number) {
  return {'\1', static_cast<char>(number), '\1', static_cast<char>(number / 256)};
}

TEST(LaneQueue, TakesInTurnAsManyAsThereAreWorkers) {
  LaneQueue queue(2, Order::by_work);
  for (const std::uint64_t id : {1U, 99U, 2U, 3U})
    push(queue, {id, "a", {}});
  EXPECT_EQ(taken(queue), 1U);
  EXPECT_EQ(taken(queue), 2U) << "99 is gone";
  EXPECT_EQ(taken(queue), 0U);
  queue.done({1, "a", {}}, 1s, false, kNow);
  EXPECT_EQ(taken(queue), 3U);
}

TEST(LaneQueue, WhoHasLeftComesAfterAllWhoAreHere) {
  LaneQueue queue(1, Order::by_work);
  push(queue, {kHasLeft, "a", {}});
  push(queue, {kHasLeft + 1000, "b", {}});
  push(queue, {1, "busy", {}});
  push(queue, {2, "c", {}});
  EXPECT_EQ(taken(queue), 1U);
  queue.done({1, "busy", {}}, 5s, false, kNow);
  push(queue, {3, "busy", {}});
  for (const std::uint64_t id : {2U, 3U, 555U, 1555U}) {
    EXPECT_EQ(taken(queue), id);
    queue.done({id, "other", {}}, 0s, false, kNow);
  }
}

TEST(LaneQueue, WhoKeptTheWorkersBusyComesLast) {
  LaneQueue queue(1, Order::by_work);
  push(queue, {1, "busy", {}});
  EXPECT_EQ(taken(queue), 1U);
  for (std::uint64_t id = 2; id < 100; ++id)
    push(queue, {id, "busy", {}});
  push(queue, {100, "new", {}});
  queue.done({1, "busy", {}}, 1s, false, kNow);
  EXPECT_EQ(taken(queue), 100U);
  queue.done({100, "new", {}}, 3s, false, kNow);
  EXPECT_EQ(taken(queue), 2U);
}

/// How many others are taken before `id`, of a lane whose jobs take 20 ms. They come again at once.
int others_before(LaneQueue& queue, std::uint64_t id, MonoTime& now) {
  for (int others = 0;; ++others) {
    const auto next = queue.take(now, presence_of);
    if (!next) return 1'000'000;
    now += 20ms;
    queue.done(*next, 20ms, false, now);
    if (next->id == id) return others;
    push(queue, {next->id, next->client, {}}, now);
  }
}

TEST(LaneQueue, HundredsOfAddressesThatComeAgainKeepNoNewOneWaiting) {
  LaneQueue queue(1, Order::by_work);
  MonoTime now = kNow;
  for (std::uint64_t id = 2000; id < 2160; ++id) {
    for (std::uint64_t more = 0; more < 6; ++more)
      push(queue, {id + 1000 * more, address(id), {}}, now);
  }
  push(queue, {1, "new", {}}, now);
  EXPECT_LT(others_before(queue, 1, now), 300) << "not after all 960";
  push(queue, {2, "newer", {}}, now);
  EXPECT_LT(others_before(queue, 2, now), 20);
}

TEST(LaneQueue, AddressesThatAreAlwaysNewKeepNobodyOutWhoWasThereBefore) {
  LaneQueue queue(1, Order::by_work);
  push(queue, {1, "home", {}});
  EXPECT_EQ(taken(queue), 1U);
  queue.done({1, "home", {}}, 20ms, false, kNow);
  for (std::uint64_t id = 2000; id < 2050; ++id)
    push(queue, {id, address(id), {}});
  push(queue, {2, "home", {}});
  for (std::uint64_t id = 2050; id < 3000; ++id)
    push(queue, {id, address(id), {}});
  EXPECT_LT(checks_until(queue, 2, kNow), 400);
}

TEST(LaneQueue, OfACrowdThatTriesAsOftenTheNewestComesFirst) {
  LaneQueue queue(1, Order::by_tries);
  for (std::uint64_t id = 1; id < 50; ++id)
    push(queue, {id, address(id), {}});
  EXPECT_EQ(taken(queue), 49U);
}

TEST(LaneQueue, AFloodFromHundredsOfAddressesKeepsNoNewOneOut) {
  LaneQueue queue(1, Order::by_tries);
  std::uint64_t id = 1000;
  for (MonoTime now = kNow; now < kNow + 10s; now += 1ms, ++id)
    push(queue, {id, address(id % 400), {}}, now);
  push(queue, {1, "home", {}}, kNow + 10s);
  for (int i = 0; i < 100; ++i, ++id)
    push(queue, {id, address(id % 400), {}}, kNow + 10s);
  EXPECT_LT(checks_until(queue, 1, kNow + 10s), 20);
}

TEST(LaneQueue, WholeNetworksThatTryComeAfterANewOne) {
  LaneQueue queue(1, Order::by_tries);
  for (std::uint64_t id = 0; id < 2000; ++id)
    push(queue, {2000 + id, {'\1', '\1', static_cast<char>(id / 256), static_cast<char>(id)}, {}});
  push(queue, {1, "home", {}});
  push(queue, {2, {'\1', '\1', '\1', '\1'}, {}});
  EXPECT_EQ(taken(queue), 1U);
}

TEST(LaneQueue, WhoWasWrongOnceGetsHisTurnAmongACrowdOfStrangers) {
  LaneQueue queue(1, Order::by_tries);
  push(queue, {1, "mistaken", {}});
  EXPECT_EQ(taken(queue), 1U);
  queue.done({1, "mistaken", {}}, 50ms, false, kNow);
  for (std::uint64_t id = 2; id < 50; ++id)
    push(queue, {id, address(id), {}});
  push(queue, {50, "mistaken", {}});
  EXPECT_LT(checks_until(queue, 50, kNow), 10);
}

TEST(LaneQueue, OfTooManyWhoTriedMostOftenIsSentAway) {
  LaneQueue queue(1, Order::by_tries);
  push(queue, {1, "home", {}});
  for (std::uint64_t id = 2; id < 6; ++id)
    push(queue, {id, address(id % 2), {}});
  push(queue, {6, address(0), {}});
  push(queue, {kHasLeft, "left", {}});
  EXPECT_EQ(queue.take_surplus(7, presence_of), std::nullopt);
  EXPECT_EQ(queue.take_surplus(6, presence_of), kHasLeft);
  EXPECT_EQ(queue.take_surplus(5, presence_of), 2U) << "of those the one who waits longest";
  EXPECT_EQ(queue.take_surplus(0, presence_of), 4U);
}

TEST(LaneQueue, TriesAreForgottenInAMinute) {
  Tries tries;
  tries.note("home", kNow);
  tries.note("home", kNow + 29s);
  EXPECT_EQ(tries.of("home"), 2.25);
  tries.note("away", kNow + 31s);
  EXPECT_EQ(tries.of("home"), 2.25);
  tries.note("away", kNow + 62s);
  EXPECT_EQ(tries.of("home"), 0);
}

TEST(LaneQueue, WhoIsKnownToBeGoodGoesBeforeStrangersForLong) {
  LaneQueue queue(1, Order::by_tries);
  push(queue, {1, "good", {}});
  EXPECT_EQ(taken(queue), 1U);
  queue.done({1, "good", {}}, 50ms, true, kNow);
  for (std::uint64_t id = 100; id < 10'000; ++id) {
    if (id % 1000 == kHasLeft) continue;
    push(queue, {id, std::to_string(id), {}}, kNow + id * 100ms);
    ASSERT_EQ(taken(queue, kNow + id * 100ms), id);
    queue.done({id, std::to_string(id), {}}, 50ms, false, kNow + id * 100ms);
  }
  const MonoTime later = kNow + 1000s;
  push(queue, {10'000, "10000", {}}, later);
  push(queue, {10'001, "good", {}}, later);
  push(queue, {10'002, "10002", {}}, later);
  EXPECT_EQ(taken(queue, later), 10'001U) << "though thousands have been forgotten meanwhile";
  queue.done({10'001, "good", {}}, 50ms, false, later);
  push(queue, {10'003, "good", {}}, later);
  push(queue, {10'004, "10004", {}}, later);
  EXPECT_EQ(taken(queue, later), 10'004U) << "somebody there is wrong now";
}

TEST(LaneQueue, WhatIsTheSameForAllKeepsOneWorkerOnly) {
  LaneQueue queue(2, Order::by_work);
  for (std::uint64_t id = 1; id < 5; ++id)
    push(queue, {id, "a", "/"});
  push(queue, {5, "a", "/config"});
  EXPECT_EQ(taken(queue), 1U);
  EXPECT_EQ(taken(queue), 5U) << "the others would only wait for the first";
  queue.done({5, "a", "/config"}, 1s, false, kNow);
  EXPECT_EQ(taken(queue), 0U);
  queue.done({1, "a", "/"}, 1s, false, kNow);
  EXPECT_EQ(taken(queue), 2U);
}

}  // namespace
}  // namespace sharedrift
