#include "credentials/refresh_plan.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;

TEST(RefreshPlan, RefreshesAheadOfExpiryWithJitter) {
  const Instant now{MonoTime{1h}, WallTime{Millis{1'795'000'000'000}}};
  const auto after = [&](std::optional<Millis> life, double jitter) {
    const auto expires = life ? std::optional{now.wall + *life} : std::nullopt;
    return next_refresh(now, expires, jitter) - now.mono;
  };
  EXPECT_EQ(after(1h, 0.0), 45min);
  EXPECT_EQ(after(1h, 0.5), 42min);
  EXPECT_EQ(after(6h, 0.0), 5h + 45min);
  EXPECT_EQ(after(15min, 0.0), 11min + 15s);
  EXPECT_EQ(after(1s, 0.0), 5s);
  EXPECT_EQ(after(0s, 0.9), 5s);
  EXPECT_EQ(after(-1h, 0.0), 5s);
  EXPECT_EQ(after(std::nullopt, 0.0), 5min);
  EXPECT_EQ(after(std::nullopt, 0.5), 4min + 45s);
  EXPECT_LT(after(Millis{24h * 365 * 5000}, 0.0), 24h * 366);
}

TEST(RefreshPlan, BacksOffWithJitterUpToAMinute) {
  const MonoTime now{1h};
  EXPECT_EQ(next_retry(now, 1, 0.0) - now, 1s);
  EXPECT_EQ(next_retry(now, 1, 1.0) - now, 2s);
  EXPECT_EQ(next_retry(now, 3, 1.0) - now, 8s);
  EXPECT_EQ(next_retry(now, 6, 0.0) - now, 30s);
  EXPECT_EQ(next_retry(now, 1'000'000, 1.0) - now, 60s);
}

TEST(RefreshPlan, ARejectionRefreshesAtOnceButOnceAMinuteAtMost) {
  const MonoTime now{1h};
  EXPECT_EQ(refresh_after_rejection(now, std::nullopt), now);
  EXPECT_EQ(refresh_after_rejection(now, now - 61s), now);
  EXPECT_EQ(refresh_after_rejection(now, now - 10s), now + 50s);
}

}  // namespace
}  // namespace sharedrift
