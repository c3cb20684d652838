#pragma once

#include "core/time.hpp"

#include <algorithm>

/// How often the API may be called, and when to try again. Pure: time is an argument. Not thread-safe.
namespace sharedrift {

/// Lets `rate` requests a second pass, a second's worth (at least one) at once. A rate of 0 lets everything
/// pass.
class TokenBucket {
 public:
  TokenBucket(double rate, MonoTime now) : rate_(rate), tokens_(burst()), at_(now) {}
  /// Changes the rate from now on.
  void set_rate(double rate, MonoTime now);
  bool take(MonoTime now);
  /// When take() will succeed.
  [[nodiscard]] MonoTime ready_at(MonoTime now) const;
  [[nodiscard]] double rate() const { return rate_; }

 private:
  [[nodiscard]] double burst() const { return std::max(1.0, rate_); }
  [[nodiscard]] double tokens_at(MonoTime now) const;
  double rate_;
  double tokens_;
  MonoTime at_;
};

/// Pays for retries: a success earns a tenth, a retry costs one. When everything fails, the load on the API
/// grows by a tenth instead of by max_attempts (Brooker, "Fixing retries with token buckets and circuit
/// breakers", 2022).
class RetryBudget {
 public:
  bool take();
  void earn() { balance_ = std::min(kMost, balance_ + kEarned); }

 private:
  static constexpr double kMost = 20;
  static constexpr double kEarned = 0.1;
  double balance_ = kMost;
};

/// Slows down when the API says that it is too much, and comes back step by step.
class ThrottleGovernor {
 public:
  /// `hint`: how long the API asks to wait; 0 if it does not say. Refusals of requests that were sent before
  /// the last slowdown are its echo: they do not slow down again.
  void on_throttled(Millis hint, MonoTime sent, MonoTime now);
  void on_success() { share_ = std::min(1.0, share_ + kRecovery); }
  /// The share of the configured rate and concurrency that may be used now, kLeast to 1.
  [[nodiscard]] double share() const { return share_; }
  /// Nothing may be sent before.
  [[nodiscard]] MonoTime hold_until() const { return hold_until_; }

 private:
  static constexpr double kLeast = 0.1;
  static constexpr double kRecovery = 0.02;
  double share_ = 1.0;
  MonoTime slowed_at_ = MonoTime::min();
  MonoTime hold_until_ = MonoTime::min();
};

/// Keeps a login at a proxy from being tried at the pace of a network fault: directories lock accounts for
/// that.
class LoginGuard {
 public:
  explicit LoginGuard(bool there_is_a_proxy) : good_(!there_is_a_proxy) {}
  /// A minute without any try, twice as long each time, half an hour at most.
  void on_refused(MonoTime now);
  void on_success();
  /// The login is known to be good, or there is none. Until then one exchange at a time, so that a bad one is
  /// refused once.
  [[nodiscard]] bool good() const { return good_; }
  /// Nothing may be tried before.
  [[nodiscard]] MonoTime hold_until() const { return hold_until_; }

 private:
  bool good_;
  int refusals_ = 0;  ///< in a row
  MonoTime hold_until_ = MonoTime::min();
};

/// The longest wait that a hint of the API can order: it must not silence the monitor.
inline constexpr Millis kLongestHint{60'000};

/// Exponential backoff with full jitter: uniform in [0, min(cap, base * 2^attempt)). `attempt` from 0, `unit`
/// in [0, 1).
Millis backoff(int attempt, double unit);

}  // namespace sharedrift
