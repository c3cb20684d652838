#include "ens_bench.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::accounts_from;
using testing::EnsBench;
using testing::parameter;
using ::testing::SizeIs;

/// From one page of the second pass to the next, by the time since the first pass ended: who changes the list
/// in between can hide an account from that pass.
struct Gap {
  MonoTime::duration begin;
  MonoTime::duration end;
};

/// Of attempts to list two pages, which come after `latency`, one at a time.
std::vector<Gap> gaps_of_second_passes(Millis latency, int attempts) {
  EnsOptions options = EnsBench::plain();
  options.gate.concurrency = 1;
  EnsBench bench(std::move(options));
  bench.shares["m-1"] = accounts_from(1, 150);
  std::vector<MonoTime> asked;
  bench.instead = [&](const HttpRequest& request, const std::string& /*action*/) {
    asked.push_back(bench.clock.mono());
    return std::optional(bench.page(request, latency));
  };
  std::vector<Gap> gaps;
  for (int i = 0; i < attempts; ++i) {
    asked.clear();
    EXPECT_TRUE(bench.fetch("m-1").complete);
    if (asked.size() != 4) {
      ADD_FAILURE() << "two passes over two pages are four requests, not " << asked.size();
      continue;
    }
    const MonoTime end_of_first = asked[1] + latency;
    gaps.push_back({asked[2] - end_of_first, asked[3] - end_of_first});
  }
  return gaps;
}

TEST(EnsClient, PausesForARandomWhileBetweenThePassesOfALongList) {
  constexpr int kAttempts = 200;
  for (const Millis latency : {10ms, 50ms, 400ms}) {
    const std::vector<Gap> gaps = gaps_of_second_passes(latency, kAttempts);
    for (const Gap& picked : gaps) {
      const auto hits = std::count_if(gaps.begin(), gaps.end(), [&picked](const Gap& gap) {
        return gap.begin <= picked.begin && picked.begin < gap.end;
      });
      EXPECT_LT(hits, kAttempts / 3) << "who picks a moment beforehand hits the gap too often";
    }
  }
}

TEST(EnsClient, AWalkPausesBetweenItsPassesAndNotBetweenItsPages) {
  EnsBench bench;
  for (int i = 0; i < 150; ++i)
    bench.inventory.push_back("m-" + std::to_string(i));
  std::vector<MonoTime> asked;
  bench.before = [&](const HttpRequest& /*request*/, const std::string& /*action*/) {
    asked.push_back(bench.clock.mono());
  };
  std::set<MonoTime::duration> pauses;
  for (int i = 0; i < 10; ++i) {
    asked.clear();
    EXPECT_TRUE(bench.walk().complete);
    ASSERT_THAT(asked, SizeIs(4)) << "two passes over two pages";
    EXPECT_EQ(asked[1] - asked[0], 10ms) << "as soon as the page before has come";
    EXPECT_EQ(asked[3] - asked[2], 10ms);
    EXPECT_LE(asked[2] - asked[1], 10ms + 5 * 10ms) << "five gaps between pages";
    pauses.insert(asked[2] - asked[1]);
  }
  EXPECT_GT(pauses.size(), 5U) << "nobody can tell how long";
}

TEST(EnsClient, APauseIsNoGapBetweenPages) {
  EnsBench bench;
  std::vector<MonoTime> firsts;
  bench.instead = [&](const HttpRequest& request, const std::string& /*action*/) {
    if (parameter(request, "PageNumber") == "1") {
      firsts.push_back(bench.clock.mono());
      // Each pass is sound, no two agree.
      bench.shares["m-1"] = accounts_from(static_cast<int>(firsts.size()), 150);
    }
    return std::optional(bench.page(request, 10ms));
  };
  for (int i = 0; i < 20; ++i) {
    firsts.clear();
    EXPECT_EQ(bench.fetch("m-1").failure.reason, Reason::unstable);
    ASSERT_THAT(firsts, SizeIs(4));
    for (std::size_t pass = 1; pass < firsts.size(); ++pass)
      EXPECT_LE(firsts[pass] - firsts[pass - 1], 20ms + 5 * 10ms) << "two pages and five gaps";
  }
}

TEST(EnsClient, ThePauseLeavesTimeForThePassAfterIt) {
  EnsBench bench;
  bench.shares["m-1"] = accounts_from(1, 150);
  bench.instead = [&bench](const HttpRequest& request, const std::string& /*action*/) {
    return std::optional(bench.page(request, 2s));
  };
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(bench.fetch("m-1", false, 10s).complete) << "four pages of two seconds each";
}

TEST(EnsClient, WhatIsOverLeavesNothingInMemory) {
  EnsBench bench;
  bench.inventory = {"m-1", "m-2"};
  bench.shares["m-1"] = accounts_from(1, 2);
  const auto rounds = [&bench](int count) {
    for (int i = 0; i < count; ++i) {
      EXPECT_TRUE(bench.walk().complete);
      EXPECT_TRUE(bench.fetch("m-1").complete);
      bench.transport.requests.clear();
      bench.actions.clear();
      bench.outcomes.clear();
    }
    return ::mallinfo2().uordblks;  // 0 where a sanitizer allocates, which looks for leaks itself
  };
  const std::size_t before = rounds(10);
  EXPECT_LT(rounds(100), before + 100 * 64) << "a walk or a poll that stays takes more than 64 bytes";
}

}  // namespace
}  // namespace sharedrift
