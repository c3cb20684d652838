#pragma once

#include "core/time.hpp"

#include <optional>

namespace sharedrift {

/// even: each image has a stable moment of its own in its interval, moved a little each time; none: all at
/// once.
enum class Spread { even, none };

/// `poll:` of the configuration: how images are polled, and what proves that an account is gone.
struct PollConfig {
  Millis interval{300'000};  ///< also the length of a cycle for the mass-change guard
  Spread spread = Spread::even;
  std::optional<Millis> stale_after;  ///< none: three intervals, of each image its own
  int confirm_clears = 2;             ///< 1 to 10: complete listings in a row that prove an absence
  int mass_change_percent = 20;       ///< 1 to 100
  Millis state_retention{400LL * 24 * 3'600'000};

  friend bool operator==(const PollConfig&, const PollConfig&) = default;
};
/// Of an image that is read at this interval.
inline Millis stale_after_of(const PollConfig& poll, Millis interval) {
  constexpr int kIntervals = 3;
  return poll.stale_after.value_or(kIntervals * interval);
}

}  // namespace sharedrift
