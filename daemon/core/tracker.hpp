#pragma once

#include "core/event.hpp"
#include "core/listing.hpp"
#include "core/policy.hpp"
#include "core/record.hpp"
#include "core/time.hpp"
#include "core/view.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sharedrift {

/// What is watched and by which rules; one accepted configuration.
struct WatchList {
  std::vector<std::shared_ptr<const ImagePolicy>> images;  ///< ids unique
  std::map<AccountId, std::string> account_names;          ///< the address book
  Millis interval{};                                       ///< length of a cycle for the mass-change guard
  Millis stale_after{};
  int confirm_clears = 2;
  int mass_change_percent = 20;
  std::string config_hash;  ///< first 12 hex digits, for drift events
};

/// What a step of the tracker brought.
struct Step {
  std::vector<Event> events;
  std::vector<ImageId> changed;    ///< views to publish anew
  std::vector<ImageId> must_save;  ///< records in which more than times and attempt counters changed
  std::vector<ImageId> removed;    ///< no longer watched
};

/// The deep module: turns observations into drift. Presence is cheap, absence needs proof; see domain.md 3.1
/// for the law and daemon/README.md for the states. Pure: time is an argument, nothing is read, written or
/// logged. Not thread-safe.
class Tracker {
 public:
  /// `saved` may come from an earlier life; it can only add knowledge. Events of the start (monitoring_gap,
  /// drift by the config that changed meanwhile, first_run) are in the step. Images of `saved` that are not
  /// watched are `removed`.
  Tracker(WatchList watch, SavedState saved, Instant now, Step& step);

  /// One attempt's outcome. An image that is not watched is ignored.
  Step apply(const ImageId& image, const Observation& seen, Instant now);
  /// A new accepted configuration: kept images keep counters and state, removed ones close as `unwatched`.
  Step reconfigure(WatchList watch, Instant now);
  /// Time alone: expiring exceptions, zeros that go stale, cycles that end. Call at next_deadline() or later.
  Step tick(Instant now);
  [[nodiscard]] MonoTime next_deadline() const { return next_deadline_; }

  [[nodiscard]] std::shared_ptr<const ImageView> view(const ImageId& image) const;
  [[nodiscard]] ImageRecord record(const ImageId& image) const;
  [[nodiscard]] const std::array<std::uint64_t, kAllCloseReasons.size()>& closes() const { return closes_; }
  /// Clears that the mass-change guard holds now.
  [[nodiscard]] std::int64_t clears_held() const { return held_; }
  /// True if the last complete listing of the image had accounts.
  [[nodiscard]] bool had_accounts(const ImageId& image) const;
  [[nodiscard]] const WatchList& watch() const { return watch_; }

 private:
  // (written with the implementation)
  struct Image;
  WatchList watch_;
  std::unordered_map<ImageId, std::unique_ptr<Image>> images_;
  std::array<std::uint64_t, kAllCloseReasons.size()> closes_{};
  std::int64_t held_ = 0;
  MonoTime next_deadline_ = MonoTime::max();
};

}  // namespace sharedrift
