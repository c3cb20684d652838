#include "aliyun/pacing.hpp"

#include "support/fakes.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

constexpr MonoTime kStart{std::chrono::hours{1}};

MonoTime after(std::int64_t millis) {
  return kStart + Millis{millis};
}

TEST(TokenBucket, LetsABurstOfASecondPassAndThenTheRate) {
  TokenBucket bucket(5, kStart);
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(bucket.take(kStart));
  EXPECT_FALSE(bucket.take(kStart));
  EXPECT_EQ(bucket.ready_at(kStart), after(200));
  EXPECT_FALSE(bucket.take(after(199)));
  EXPECT_TRUE(bucket.take(after(200)));
  EXPECT_FALSE(bucket.take(after(201)));
}

TEST(TokenBucket, WithoutARateLetsEverythingPass) {
  TokenBucket bucket(0, kStart);
  for (int i = 0; i < 10'000; ++i)
    ASSERT_TRUE(bucket.take(kStart));
  EXPECT_EQ(bucket.ready_at(kStart), kStart);
}

TEST(TokenBucket, ASlowRateStillLetsOnePass) {
  TokenBucket bucket(0.2, kStart);
  EXPECT_TRUE(bucket.take(kStart));
  EXPECT_FALSE(bucket.take(kStart));
  EXPECT_EQ(bucket.ready_at(kStart), after(5000));
}

TEST(TokenBucket, NeverLetsMoreThanRateAndBurstPassWhateverIsAskedWhen) {
  testing::SeededRandom random(7);
  for (const double rate : {0.3, 1.0, 5.0, 97.5}) {
    TokenBucket bucket(rate, kStart);
    const double burst = std::max(1.0, rate);
    std::vector<MonoTime> passed;
    MonoTime now = kStart;
    for (int i = 0; i < 3000; ++i) {
      now += Millis{static_cast<std::int64_t>(random.unit() * 400)};
      if (bucket.take(now)) passed.push_back(now);
      // What ready_at() promises holds, and a moment before it nothing passes.
      const MonoTime ready = bucket.ready_at(now);
      TokenBucket copy = bucket;
      EXPECT_TRUE(copy.take(ready));
      copy = bucket;
      if (ready - Millis{2} > now) {
        EXPECT_FALSE(copy.take(ready - Millis{2}));
      }
    }
    for (std::size_t from = 0; from < passed.size(); from += 37) {
      for (std::size_t to = from; to < passed.size(); to += 11) {
        const double seconds = std::chrono::duration<double>(passed[to] - passed[from]).count();
        ASSERT_LE(static_cast<double>(to - from + 1), burst + rate * seconds + 1e-6);
      }
    }
  }
}

TEST(TokenBucket, AChangeOfRateCountsFromThenOn) {
  TokenBucket bucket(10, kStart);
  while (bucket.take(kStart)) {
  }
  bucket.set_rate(1, after(100));  // one token earned at the old rate
  EXPECT_TRUE(bucket.take(after(100)));
  EXPECT_EQ(bucket.ready_at(after(100)), after(1100));
  bucket.set_rate(10, after(600));
  EXPECT_EQ(bucket.ready_at(after(600)), after(650));
  bucket.set_rate(0, after(600));
  EXPECT_EQ(bucket.ready_at(after(600)), after(600)) << "without a rate there is nothing to wait for";
}

TEST(TokenBucket, TimeThatStandsStillOrGoesBackEarnsNothing) {
  TokenBucket bucket(1, kStart);
  EXPECT_TRUE(bucket.take(kStart));
  EXPECT_FALSE(bucket.take(kStart - std::chrono::hours{1}));
  EXPECT_FALSE(bucket.take(kStart));
}

TEST(RetryBudget, ATotalOutageCostsATenthMoreNotAMultiple) {
  RetryBudget budget;
  int first = 0;
  while (budget.take())
    ++first;
  EXPECT_EQ(first, 20);
  int more = 0;
  for (int i = 0; i < 1000; ++i) {
    budget.earn();
    if (budget.take()) ++more;
  }
  EXPECT_NEAR(more, 100, 2);
  for (int i = 0; i < 100'000; ++i)
    budget.earn();
  int most = 0;
  while (budget.take())
    ++most;
  EXPECT_EQ(most, 20);
}

TEST(ThrottleGovernor, HalvesToAFloorAndComesBackStepByStep) {
  ThrottleGovernor governor;
  EXPECT_DOUBLE_EQ(governor.share(), 1);
  MonoTime now = kStart;
  for (const double share : {0.5, 0.25, 0.125, 0.1, 0.1}) {
    governor.on_throttled(Millis{0}, now, now);
    EXPECT_DOUBLE_EQ(governor.share(), share);
    now += Millis{1};
  }
  double before = governor.share();
  int steps = 0;
  while (governor.share() < 1) {
    governor.on_success();
    EXPECT_GT(governor.share(), before);
    before = governor.share();
    ++steps;
  }
  EXPECT_NEAR(steps, 45, 1);
}

TEST(ThrottleGovernor, OneVolleySlowsDownOnce) {
  ThrottleGovernor governor;
  for (int i = 0; i < 8; ++i)  // all sent before the first refusal came back
    governor.on_throttled(Millis{0}, after(i), after(100 + i));
  EXPECT_DOUBLE_EQ(governor.share(), 0.5);
  governor.on_throttled(Millis{0}, after(99), after(300));
  EXPECT_DOUBLE_EQ(governor.share(), 0.5) << "sent before that";
  governor.on_throttled(Millis{0}, after(100), after(300));
  EXPECT_DOUBLE_EQ(governor.share(), 0.25) << "no echo: it knew";
}

TEST(ThrottleGovernor, HoldsAsLongAsItIsToldButNotForEver) {
  ThrottleGovernor governor;
  EXPECT_LE(governor.hold_until(), kStart);
  governor.on_throttled(Millis{0}, kStart, kStart);
  EXPECT_EQ(governor.hold_until(), after(250));
  governor.on_throttled(Millis{5000}, kStart, after(10));
  EXPECT_EQ(governor.hold_until(), after(5010));
  governor.on_throttled(Millis{0}, kStart, after(20));
  EXPECT_EQ(governor.hold_until(), after(5010));
  governor.on_throttled(std::chrono::hours{5}, kStart, after(20));
  EXPECT_EQ(governor.hold_until(), after(60'020));
}

TEST(LoginGuard, RestsTwiceAsLongEachTimeUntilALoginIsGood) {
  LoginGuard login(true);
  EXPECT_FALSE(login.good()) << "nobody knows yet";
  for (const int minutes : {1, 2, 4, 8, 16, 30, 30}) {
    login.on_refused(kStart);
    EXPECT_EQ(login.hold_until(), kStart + std::chrono::minutes{minutes});
  }
  login.on_success();
  EXPECT_TRUE(login.good());
  login.on_refused(kStart);
  EXPECT_EQ(login.hold_until(), kStart + std::chrono::minutes{1});
  EXPECT_FALSE(login.good());
  EXPECT_TRUE(LoginGuard(false).good()) << "without a proxy there is no login";
}

TEST(Backoff, GrowsToACapAndIsFullyJittered) {
  EXPECT_EQ(backoff(0, 0.999999), Millis{499});
  EXPECT_EQ(backoff(1, 0.999999), Millis{999});
  EXPECT_EQ(backoff(3, 0.5), Millis{2000});
  EXPECT_EQ(backoff(40, 0.999999), Millis{19'999});
  for (int attempt = 0; attempt < 50; ++attempt)
    EXPECT_EQ(backoff(attempt, 0.0), Millis{0});
  testing::SeededRandom random;
  Millis sum{};
  for (int i = 0; i < 10'000; ++i) {
    const Millis wait = backoff(2, random.unit());
    ASSERT_GE(wait, Millis{0});
    ASSERT_LT(wait, Millis{2000});
    sum += wait;
  }
  EXPECT_NEAR(static_cast<double>(sum.count()) / 10'000, 1000, 30);
}

}  // namespace
}  // namespace sharedrift
