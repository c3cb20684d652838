#pragma once

#include "core/event.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>

namespace sharedrift {

/// How many events about single images become a line and a row: `kAtOnce`, and so many a second from then on,
/// of drift, of listings and of the inventory each. Accounts and images that come and go by the thousand fill
/// no disk, and none of the three hides another; what is open, gauges and counters have all of them. Not
/// thread-safe.
class EventBudget {
 public:
  static constexpr double kAtOnce = 20'000;  ///< some 12 MB of log
  static constexpr double kOfDriftPerSecond = 100;
  static constexpr double kOthersPerSecond = 10;

  /// How many events were not told.
  struct LeftOut {
    std::int64_t of_drift = 0;
    std::int64_t others = 0;
    [[nodiscard]] bool any() const { return of_drift + others > 0; }
  };

  /// Whether `event` is told. One that is not about what an image or its inventory does always is.
  bool take(const Event& event, MonoTime now);
  /// How many were left out since it gave a number last; none of it if it gave one less than a minute ago.
  LeftOut left_out(MonoTime now);
  /// The same at once, for the end.
  LeftOut rest();

 private:
  struct Bucket {
    double tokens = kAtOnce;
    std::optional<MonoTime> filled;
    bool take(double per_second, MonoTime now);
  };

  Bucket of_drift_;
  Bucket of_listings_;
  Bucket of_inventory_;
  LeftOut left_out_;
  std::optional<MonoTime> told_;
};

}  // namespace sharedrift
