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
  const auto told = [now](Bucket& bucket, double per_second, std::int64_t& left_out) {
    if (bucket.take(per_second, now)) return true;
    ++left_out;
    return false;
  };
  switch (spec(event.type).kind) {
    case EventKind::drift: return told(of_drift_, kOfDriftPerSecond, left_out_.of_drift);
    case EventKind::listing: return told(of_listings_, kOthersPerSecond, left_out_.others);
    case EventKind::inventory: return told(of_inventory_, kOthersPerSecond, left_out_.others);
    case EventKind::background:
    case EventKind::other: break;
  }
  return true;
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
