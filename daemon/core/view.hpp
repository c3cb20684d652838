#pragma once

#include "core/failure.hpp"
#include "core/policy.hpp"
#include "core/record.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace sharedrift {

struct DriftView {
  AccountId account;
  DriftKind kind;
  bool first_run = false;
  bool clearing = false;
  bool held = false;
  WallTime since;
  std::optional<WallTime> not_before;
  std::optional<WallTime> first_seen;  ///< none for a required account that was never seen
  std::optional<WallTime> last_seen;
};

/// All that readers may know of one image, immutable: what /metrics, the JSON API and the status page are
/// made from.
struct ImageView {
  using Gauge = std::optional<std::int64_t>;
  std::shared_ptr<const ImagePolicy> policy;
  ImageState state = ImageState::never_read;
  bool listing_complete = false;
  std::optional<WallTime> state_since;
  std::optional<WallTime> last_complete;
  std::optional<WallTime> last_poll;
  std::optional<WallTime> unwatched_since;      ///< none: it is watched
  std::shared_ptr<const Failure> last_failure;  ///< of the last poll; null when it was complete
  ImageCounters counters;
  std::size_t allowed_accounts = 0;
  // The set-valued gauges. None: not known, or a 0 whose proof is older than stale_after (a 0 is a claim).
  Gauge shared_accounts;
  Gauge unexpected_accounts;
  /// TotalCount minus what the allow-list lets in: a claim of the API, so never part of unexpected_accounts.
  Gauge unexpected_accounts_min;
  Gauge missing_accounts;
  Gauge unlisted_accounts;
  Gauge unused_entries;
  std::vector<DriftView> drifts;     ///< sorted by kind, account
  std::vector<AccountId> sightings;  ///< accounts believed to have access, sorted
};

}  // namespace sharedrift
