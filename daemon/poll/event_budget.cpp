#include "poll/event_budget.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sharedrift {

bool EventBudget::Bucket::take(double per_second, MonoTime now) {
  const double passed = std::chrono::duration<double>(now - filled.value_or(now)).count();
  filled = now;
  tokens = std::min(kAtOnce, tokens + passed * per_second);
  if (tokens < 1) return false;
  --tokens;
  return true;
}

bool EventBudget::take(const Event& event, MonoTime now) {
  switch (event.type) {
    case EventType::drift_opened:
    case EventType::drift_clearing:
    case EventType::drift_closed:
    case EventType::drift_flapped: {
      const bool told = of_drift_.take(kOfDriftPerSecond, now);
      if (!told) ++left_out_.of_drift;
      return told;
    }
    case EventType::listing_incomplete:
    case EventType::listing_failed:
    case EventType::listing_recovered:
    case EventType::image_state_changed:
    case EventType::image_discovered:
    case EventType::image_renamed:
    case EventType::image_left: {
      const bool told = others_.take(kOthersPerSecond, now);
      if (!told) ++left_out_.others;
      return told;
    }
    default: return true;
  }
}

EventBudget::LeftOut EventBudget::left_out(MonoTime now) {
  constexpr Millis kBetween{60'000};
  if (!left_out_.any() || (told_ && now - *told_ < kBetween)) return {};
  told_ = now;
  return rest();
}

EventBudget::LeftOut EventBudget::rest() {
  return std::exchange(left_out_, {});
}

}  // namespace sharedrift
