#pragma once

#include "core/ids.hpp"
#include "core/poll_config.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <functional>
#include <set>
#include <unordered_map>
#include <vector>

namespace sharedrift {

/// When each image is due. A deadline follows from the deadline before, never from the end of the work, so
/// that periods do not stretch; what was slept or worked through is made up for once, not once per missed
/// period. Pure; not thread-safe.
class Schedule {
 public:
  struct Entry {
    ImageId id;
    Millis interval{};
  };
  using Spread = sharedrift::Spread;

  /// All images are due at once.
  Schedule(const std::vector<Entry>& entries, Spread spread, MonoTime now);

  /// The images that are due, oldest deadline first; each is in flight until finish() or release_all(). The
  /// ids are the schedule's own, until reconfigure().
  std::vector<std::reference_wrapper<const ImageId>> take_due(MonoTime now);
  /// The poll is over: plans the next. `jitter` in [0, 1) moves it by up to a tenth of the interval,
  /// which nobody can foresee. Returns how many deadlines passed during the poll: more than 0 is an
  /// overrun.
  std::uint64_t finish(const ImageId& id, MonoTime now, double jitter);
  /// The image is due now, once between two of its own moments: however often it is asked for. False:
  /// unknown.
  bool hurry(const ImageId& id, MonoTime now);
  /// What was in flight is due again: whoever had it is gone.
  void release_all();
  /// A new set: kept images keep their deadline, but no later than one new interval from now; new ones are
  /// due at once.
  void reconfigure(const std::vector<Entry>& entries, Spread spread, MonoTime now);
  /// Other images and the same spread: new ones are due at once, kept ones stay as they are, in flight or
  /// not.
  void watch(const std::vector<Entry>& entries, MonoTime now);
  /// MonoTime::max() if nothing waits.
  [[nodiscard]] MonoTime next_due() const;

 private:
  struct Slot {
    Millis interval{};
    MonoTime base;  ///< the deadline without jitter
    MonoTime due;
    bool settled =
        false;  ///< the first poll of a start is at once; from then on the image keeps its own moment
    bool flying = false;
    bool hurried = false;  ///< since its last own moment
  };
  using Slots = std::unordered_map<ImageId, Slot>;
  using Place = Slots::value_type;  ///< stays where it is for as long as the image is known
  struct ByDue {
    bool operator()(const Place* a, const Place* b) const { return a->second.due < b->second.due; }
  };
  void plan(Place& place, MonoTime due);

  Spread spread_;
  Slots slots_;
  std::multiset<Place*, ByDue> queue_;  ///< of slots_, those that wait
};

}  // namespace sharedrift
