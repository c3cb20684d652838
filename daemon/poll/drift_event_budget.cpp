#include "poll/drift_event_budget.hpp"

#include <algorithm>
#include <chrono>

namespace sharedrift {

namespace {

bool is_of_drift(EventType type) {
  return type == EventType::drift_opened || type == EventType::drift_clearing ||
         type == EventType::drift_closed || type == EventType::drift_flapped;
}

}  // namespace

bool DriftEventBudget::take(const Event& event, MonoTime now) {
  if (!is_of_drift(event.type)) return true;
  const double passed = std::chrono::duration<double>(now - filled_.value_or(now)).count();
  filled_ = now;
  tokens_ = std::min(kAtOnce, tokens_ + passed * kPerSecond);
  if (tokens_ < 1) {
    ++left_out_;
    return false;
  }
  --tokens_;
  return true;
}

std::optional<std::int64_t> DriftEventBudget::left_out(MonoTime now) {
  constexpr Millis kBetween{60'000};
  if (left_out_ == 0 || (told_ && now - *told_ < kBetween)) return std::nullopt;
  told_ = now;
  return std::exchange(left_out_, 0);
}

}  // namespace sharedrift
