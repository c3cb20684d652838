#include "poll/event_budget.hpp"

#include "support/fakes.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

TEST(EventBudget, AFloodOfOneKindMutesNoOther) {
  EventBudget budget;
  testing::ManualClock clock;
  const auto take = [&](EventType type) {
    return budget.take({type, clock.wall(), "m-1", {}}, clock.mono());
  };
  constexpr int kFlood = 100'000;
  for (const EventType flood : {EventType::image_discovered, EventType::drift_opened}) {
    for (int event = 0; event < kFlood; ++event)
      take(flood);
    EXPECT_FALSE(take(flood));
  }
  EXPECT_FALSE(take(EventType::image_left)) << "the same kind";
  EXPECT_TRUE(take(EventType::listing_failed));
  const EventBudget::LeftOut left_out = budget.rest();
  EXPECT_GT(left_out.of_drift, 0);
  EXPECT_GT(left_out.others, 0);
}

}  // namespace
}  // namespace sharedrift
