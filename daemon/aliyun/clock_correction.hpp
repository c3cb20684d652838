#pragma once

#include "ports.hpp"

#include <atomic>
#include <optional>

namespace sharedrift {

/// How far the local clock is from the API's. One for all that is signed for a profile, whoever learns it.
/// Thread-safe.
class ClockCorrection {
 public:
  /// Takes over what the Date header of an answer says, to a request sent at `sent`. None: it says nothing.
  std::optional<WallTime> learn(const HttpResponse& answer, MonoTime sent, Instant now);
  /// The API's clock minus the local one, as far as known.
  [[nodiscard]] Millis skew() const { return Millis{skew_.load(std::memory_order_relaxed)}; }
  /// What is added to the local time: 0 unless they are more than a minute apart. The API takes time stamps
  /// within 15.
  [[nodiscard]] Millis operator()() const;
  /// A time signed with the correction `then` was refused: would it be another one now?
  [[nodiscard]] bool differs_from(Millis then) const;

 private:
  std::atomic<Millis::rep> skew_{0};
};

/// The local clock as corrected. Both outlive it.
class CorrectedClock final : public Clock {
 public:
  CorrectedClock(Clock& local, const ClockCorrection& correction) : local_(local), correction_(correction) {}
  [[nodiscard]] MonoTime mono() const override { return local_.mono(); }
  [[nodiscard]] WallTime wall() const override { return local_.wall() + correction_(); }
  bool sleep_until(MonoTime when, std::stop_token stop) override {
    return local_.sleep_until(when, std::move(stop));
  }

 private:
  Clock& local_;
  const ClockCorrection& correction_;
};

}  // namespace sharedrift
