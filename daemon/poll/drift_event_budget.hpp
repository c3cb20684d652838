#pragma once

#include "core/event.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <utility>

namespace sharedrift {

/// How many events of drift become a line and a row: `kAtOnce`, and `kPerSecond` from then on. Accounts that
/// come and go by the thousand fill no disk; what is open, gauges and counters have all of them. Not
/// thread-safe.
class DriftEventBudget {
 public:
  static constexpr double kAtOnce = 20'000;  ///< some 12 MB of log
  static constexpr double kPerSecond = 100;

  /// Whether `event` is told. Every other kind of event always is.
  bool take(const Event& event, MonoTime now);
  /// How many were left out since it gave a number last. None if there are none, or if it gave one less than
  /// a minute ago.
  std::optional<std::int64_t> left_out(MonoTime now);
  /// The same at once, for the end; 0: there are none.
  std::int64_t rest() { return std::exchange(left_out_, 0); }

 private:
  double tokens_ = kAtOnce;
  std::optional<MonoTime> filled_;
  std::int64_t left_out_ = 0;
  std::optional<MonoTime> told_;
};

}  // namespace sharedrift
