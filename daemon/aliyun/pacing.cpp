#include "aliyun/pacing.hpp"

namespace sharedrift {

namespace {
constexpr Millis kBackoffBase{500};
constexpr Millis kBackoffCap{20'000};
constexpr Millis kSmallestHold{250};
}  // namespace

double TokenBucket::tokens_at(MonoTime now) const {
  const double seconds = std::chrono::duration<double>(now - at_).count();
  return std::min(burst(), tokens_ + std::max(0.0, seconds) * rate_);
}

void TokenBucket::set_rate(double rate, MonoTime now) {
  tokens_ = tokens_at(now);
  at_ = std::max(at_, now);
  rate_ = rate;
  tokens_ = std::min(tokens_, burst());
}

bool TokenBucket::take(MonoTime now) {
  if (rate_ <= 0) return true;
  tokens_ = tokens_at(now);
  at_ = std::max(at_, now);
  constexpr double kRounding = 1e-9;
  if (tokens_ + kRounding < 1) return false;
  tokens_ -= 1;
  return true;
}

MonoTime TokenBucket::ready_at(MonoTime now) const {
  const double missing = 1 - tokens_at(now);
  if (rate_ <= 0 || missing <= 0) return now;
  return now + std::chrono::ceil<Millis>(std::chrono::duration<double>(missing / rate_));
}

bool RetryBudget::take() {
  if (balance_ < 1) return false;
  balance_ -= 1;
  return true;
}

void ThrottleGovernor::on_throttled(Millis hint, MonoTime sent, MonoTime now) {
  if (sent >= slowed_at_) {
    share_ = std::max(kLeast, share_ / 2);
    slowed_at_ = now;
  }
  const Millis hold = std::clamp(hint, kSmallestHold, kLongestHint);
  hold_until_ = std::max(hold_until_, now + hold);
}

void LoginGuard::on_refused(MonoTime now) {
  constexpr Millis kFirst{60'000};
  constexpr int kMostDoublings = 5;
  good_ = false;
  hold_until_ = now + std::min(kFirst * (1 << std::min(refusals_, kMostDoublings)), kFirst * 30);
  ++refusals_;
}

void LoginGuard::on_success() {
  good_ = true;
  refusals_ = 0;
}

Millis backoff(int attempt, double unit) {
  constexpr int kMostDoublings = 16;
  const Millis ceiling = std::min(kBackoffCap, kBackoffBase * (1 << std::min(attempt, kMostDoublings)));
  return Millis{static_cast<Millis::rep>(unit * static_cast<double>(ceiling.count()))};
}

}  // namespace sharedrift
