#pragma once

#include "core/ids.hpp"
#include "core/policy.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <map>
#include <queue>
#include <unordered_map>
#include <vector>

namespace sharedrift {

/// When each image is due. Deadlines come from the last deadline, never from the end of the work, so that
/// periods do not stretch; what was slept or stopped through is made up for once, not once per missed period.
/// Pure; not thread-safe.
class Schedule {
 public:
  struct Entry {
    ImageId id;
    Millis interval{};
  };
  enum class Spread { even, none };

  /// All images are due at once. With Spread::even each then settles on its own stable moment in the
  /// interval.
  Schedule(std::vector<Entry> entries, Spread spread, MonoTime now);

  /// Images that are due, oldest deadline first; each is in flight until finish() or release_all().
  std::vector<ImageId> take_due(MonoTime now);
  /// The attempt is over: plans the next one. Returns how many whole periods were missed because it took too
  /// long. `jitter` in [0, 1) moves the moment a little, so that nobody can foresee it (threat M4).
  std::uint64_t finish(const ImageId& id, MonoTime now, double jitter);
  /// Forgets what is in flight and makes it due again: the poller that had it is gone.
  void release_all();
  /// A new set: kept images keep their deadline (no later than their new interval), new ones are due at once.
  void reconfigure(std::vector<Entry> entries, Spread spread, MonoTime now);
  [[nodiscard]] MonoTime next_due() const;
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  struct Slot {
    Millis interval{};
    MonoTime due;
    std::uint64_t version = 0;  ///< queue items of an older version are void
    bool flying = false;
  };
  struct Item {
    MonoTime due;
    std::uint64_t order;
    std::uint64_t version;
    ImageId id;
    friend bool operator>(const Item& a, const Item& b) {
      return a.due != b.due ? a.due > b.due : a.order > b.order;
    }
  };
  void push(const ImageId& id, Slot& slot);
  void drop_void_items();

  Spread spread_;
  std::unordered_map<ImageId, Slot> slots_;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> queue_;
  std::uint64_t order_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace sharedrift
