#pragma once

#include "core/enumerators.hpp"
#include "core/failure.hpp"
#include "core/ids.hpp"
#include "core/owned_images.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace sharedrift {

enum class DriftKind : std::uint8_t { unexpected, missing };
inline constexpr auto kAllDriftKinds = kEnumerators<DriftKind::missing>.first;
inline std::string_view to_string(DriftKind kind) {
  return enumerator_name<DriftKind::missing>(kind);
}

enum class CloseReason { revoked, restored, allowed_by_config, image_gone, unwatched };
inline constexpr auto kAllCloseReasons = kEnumerators<CloseReason::unwatched>.first;
inline std::string_view to_string(CloseReason reason) {
  return enumerator_name<CloseReason::unwatched>(reason);
}

/// Clocks are set by a little now and then; a record that is later than now by more comes from a wrong one.
inline constexpr Millis kClockTolerance{60'000};

/// An account seen in an image's list and not yet proven absent, whether allowed or not.
struct Sighting {
  AccountId account;
  std::optional<WallTime> not_before;  ///< the last complete listing without it; none: there from the first
  WallTime first_seen;
  WallTime last_seen;
  friend bool operator==(const Sighting&, const Sighting&) = default;
};

/// How far it is proven that something is not there. Never restored from disk.
struct Proof {
  std::int32_t count = 0;   ///< listings in a row that lack it
  bool held = false;        ///< those of its first cycle do not count: a mass change
  std::int64_t cycle = -1;  ///< that of the first of them

  [[nodiscard]] bool begun() const { return count > 0 || held; }
  /// One more listing; true for the first.
  bool add(std::int64_t in_cycle) {
    const bool first = !begun();
    ++count;
    if (first) cycle = in_cycle;
    return first;
  }
  /// The cycle in which it began was one of a mass change.
  void hold() {
    held = true;
    count = 0;
  }
  friend bool operator==(const Proof&, const Proof&) = default;
};

/// A sighting that complete listings lack. Rare, and what it takes to clear is kept apart from what most
/// sightings are.
struct Loss {
  AccountId account;
  WallTime first_missed;  ///< the first complete listing without it; may be an earlier life's
  Proof proof;
  friend bool operator==(const Loss&, const Loss&) = default;
};

/// A required account that complete listings lack.
struct Absence {
  AccountId account;
  WallTime first_missed;              ///< the first complete listing without it
  std::optional<WallTime> last_seen;  ///< the last row of it; none: never seen
  std::int32_t absences = 0;
  friend bool operator==(const Absence&, const Absence&) = default;
};

/// An open drift. `since` is when it became drift (exposure begins with the sighting, which may be
/// earlier).
struct Drift {
  AccountId account;
  DriftKind kind;
  WallTime since;
  bool first_run = false;
  friend bool operator==(const Drift&, const Drift&) = default;
};

struct ImageCounters {
  std::uint64_t listings = 0;
  std::uint64_t failures = 0;
  std::array<std::uint64_t, 2> opened{};  ///< by DriftKind
  std::array<std::uint64_t, 2> closed{};
  std::uint64_t flaps = 0;
  friend bool operator==(const ImageCounters&, const ImageCounters&) = default;
};

/// What an image's record and its view say in the same words.
struct ImageFacts {
  ImageState state = ImageState::never_read;
  bool listing_complete = false;
  std::optional<WallTime> last_complete;  ///< when the last complete listing ended
  std::optional<WallTime> last_poll;
  std::optional<WallTime> state_since;
  /// From then on nobody watched it; none: it is watched. What is open was told as closed then.
  std::optional<WallTime> unwatched_since;
  ImageCounters counters;
  friend bool operator==(const ImageFacts&, const ImageFacts&) = default;
};

/// All that is remembered of an image over a restart. It can only add knowledge: absences of sightings are
/// not kept, so nothing in it can bring a clear nearer.
struct ImageRecord : ImageFacts {
  explicit ImageRecord(ImageId image) : id(std::move(image)) {}
  ImageId id;
  std::optional<WallTime> last_complete_began;  ///< when the last complete listing began
  std::int64_t shared_accounts = -1;            ///< of the last complete listing; -1: none yet
  std::int64_t unused_entries = 0;
  std::int64_t unlisted = 0;
  std::int64_t total_count = -1;    ///< the last TotalCount that the API claimed; -1: none yet
  std::vector<Sighting> sightings;  ///< sorted by account
  std::vector<Loss> losses;         ///< of sightings; sorted by account
  std::vector<Absence> absences;    ///< sorted by account
  std::vector<Drift> drifts;        ///< sorted by kind, account
  friend bool operator==(const ImageRecord&, const ImageRecord&) = default;
};

/// Whether a step changed what a kill must not take, so that it is saved at once: all but what moves with
/// every listing or is never restored.
inline bool is_urgent_change(ImageRecord before, const ImageRecord& after) {
  before.last_complete = after.last_complete;
  before.last_complete_began = after.last_complete_began;
  before.last_poll = after.last_poll;
  before.counters.listings = after.counters.listings;
  before.counters.failures = after.counters.failures;
  for (std::size_t i = 0; i < std::min(before.sightings.size(), after.sightings.size()); ++i)
    before.sightings[i].last_seen = after.sightings[i].last_seen;
  for (std::size_t i = 0; i < std::min(before.losses.size(), after.losses.size()); ++i)
    before.losses[i].proof = after.losses[i].proof;
  return before != after;
}

/// What is remembered of the fleet as a whole.
struct FleetRecord {
  std::array<std::uint64_t, kAllCloseReasons.size()> closes{};
  /// The time by which exceptions were judged: the later of the local and the API's clock.
  std::optional<WallTime> judged_at;
};

/// What the state database holds of the past.
struct SavedState {
  std::vector<ImageRecord> images;
  std::vector<DiscoveredImage> discovered;
  FleetRecord fleet;
  std::optional<WallTime> last_alive;  ///< the last write before the restart
};

}  // namespace sharedrift
