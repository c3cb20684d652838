#pragma once

#include "core/event.hpp"
#include "core/ids.hpp"
#include "core/image_tracker.hpp"
#include "core/profile_outage.hpp"
#include "core/record.hpp"
#include "core/unwatched_images.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace sharedrift {

/// What a step of the tracker brought.
struct Step {
  struct Change {
    std::shared_ptr<const ImageView> view;  ///< to publish anew; never null
    bool urgent;  ///< more than times and poll counters changed: its record must not be lost
  };
  std::vector<Event> events;
  std::vector<Change> changed;  ///< in the order in which it came; of an image twice, the later counts
  /// No longer watched.
  struct Unwatched {
    ImageRecord record;
    std::shared_ptr<const ImageView> view;  ///< of the drift that was open then; never null
  };
  std::vector<Unwatched> unwatched;
  std::vector<ImageId> forgotten;  ///< of images that were not watched; nothing is remembered of them now
};

/// The deep module: turns observations of a fleet of images into drift. Presence is cheap, absence needs
/// proof; daemon/README.md draws the states. Pure: time is an argument, nothing is read, written or logged.
/// Not thread-safe.
///
/// The mass-change guard works in cycles: a cycle ends when every image was polled in it, or after an
/// interval and a quarter. From kGuardedFrom images on, a clear waits until the cycle in which its account
/// began to be absent has ended; if more than mass_change_percent of the images lost accounts, or were found
/// gone, in that cycle, its absences do not count.
class Tracker {
 public:
  static constexpr std::size_t kGuardedFrom = 10;

  /// `saved` may come from an earlier life; it can only add knowledge. Events of the start (first_run,
  /// monitoring_gap, drift that today's config sees differently) are in the step; saved images that are not
  /// watched any more are `unwatched`, and those that were not before with what was open then.
  Tracker(WatchList watch, const SavedState& saved, Instant now, Step& step);

  /// One poll's outcome. An image that is not watched is ignored.
  Step apply(const ImageId& id, const Observation& seen, Instant now);
  /// A new accepted configuration: kept images keep counters and state, removed ones close as `unwatched`.
  /// These are remembered for as long as events are: one that is watched again goes on from there.
  Step reconfigure(WatchList watch, Instant now);
  /// Time alone: exceptions that end, zeros that go stale, cycles that end. Call at next_deadline() or later.
  Step tick(Instant now);
  [[nodiscard]] MonoTime next_deadline() const;

  /// Null for an image that is not watched.
  [[nodiscard]] std::shared_ptr<const ImageView> view(const ImageId& image, Instant now) const;
  [[nodiscard]] ImageRecord record(const ImageId& id) const;
  /// Whether any image has had a step since its record was last taken that was not urgent.
  [[nodiscard]] bool has_unsaved() const { return !unsaved_.empty(); }
  /// The records of these images, those that wait longest first.
  std::vector<ImageRecord> take_unsaved();
  [[nodiscard]] const std::array<std::uint64_t, kAllCloseReasons.size()>& closes() const { return closes_; }
  /// As of the last step.
  [[nodiscard]] FleetRecord fleet_record() const { return {closes_, judged_.wall}; }
  /// Clears that the mass-change guard holds now.
  [[nodiscard]] std::int64_t clears_held() const { return held_; }
  /// Of an image that is watched. Stays where it is until reconfigure().
  [[nodiscard]] const ImageTracker& image(const ImageId& id) const { return images_.at(id).tracker; }
  [[nodiscard]] bool watches(const ImageId& id) const { return images_.contains(id); }
  [[nodiscard]] const WatchList& watch() const { return watch_; }

 private:
  /// An image and the fleet's bookkeeping of it.
  struct Watched {
    Watched(const std::shared_ptr<const ImagePolicy>& policy, WallTime judged_at)
        : tracker(policy, judged_at) {}
    ImageTracker tracker;
    std::int64_t polled_in_cycle = -1;
    std::int64_t lost_in_cycle = -1;
    MonoTime deadline = MonoTime::max();  ///< as of the last step
    bool unsaved = false;
  };
  struct ByDeadline {
    bool operator()(const Watched* a, const Watched* b) const;
  };

  struct Profile {
    std::size_t images = 0;  ///< watched
    ProfileOutage outage;
  };

  template <class Act>
  bool change(ImageTracker& image, Instant now, std::vector<Event>& events, const Act& act);
  ImageTracker::Context context(Instant now, std::vector<Event>& events);
  [[nodiscard]] WallTime judged_at(Instant now) const;
  [[nodiscard]] bool guarded() const { return images_.size() >= kGuardedFrom; }
  [[nodiscard]] MonoTime cycle_ends() const;
  void announce(const SavedState& saved, Instant now, Step& step) const;
  void report(Watched& image, bool urgent, Instant now, Step& step);
  void end_cycle(Instant now, Step& step);
  void count_profiles();
  void fold_outage(const Watched& image, const Observation& seen, std::size_t told_before, Instant now,
                   Step& step);
  void tell_outage(const std::string& name, const ProfileOutage::Advice& advice, Instant now, Step& step);
  void keep_unwatched(ImageRecord record, std::shared_ptr<const ImagePolicy> policy, Instant now, Step& step);
  void restore_unwatched(ImageRecord record, Instant now, Step& step);
  void close_unwatched(ImageRecord& record, Instant now, Step& step);

  WatchList watch_;
  std::unordered_map<ImageId, Watched> images_;  // they stay where they are
  UnwatchedImages unwatched_;
  std::set<Watched*, ByDeadline> deadlines_;  ///< those of images_ that have one
  std::deque<Watched*> unsaved_;              ///< of images_, once each, the one that waits longest first
  std::map<std::string, Profile> profiles_;
  std::array<std::uint64_t, kAllCloseReasons.size()> closes_{};
  std::int64_t held_ = 0;
  Millis server_ahead_{};  ///< how far the API's clock is ahead of ours; never negative
  Instant judged_{};       ///< until an answer tells the time, nobody's clock takes an exception's end back
  std::int64_t cycle_ = 0;
  MonoTime cycle_started_;
  std::size_t polled_ = 0;  ///< images, in the open cycle
  std::size_t losers_ = 0;  ///< those of them that lost accounts
};

}  // namespace sharedrift
