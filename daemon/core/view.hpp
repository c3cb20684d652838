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

/// The set-valued gauges. None: not known, or a 0 whose proof is older than stale_after (a 0 is a claim).
struct ImageGauges {
  using Gauge = std::optional<std::int64_t>;
  Gauge shared_accounts;
  Gauge allowed_accounts;  ///< of the configuration: a 0 needs no proof
  Gauge unexpected_accounts;
  /// TotalCount minus what the allow-list lets in: a claim of the API, so never part of unexpected_accounts.
  Gauge unexpected_accounts_min;
  Gauge missing_accounts;
  Gauge unlisted_accounts;
  Gauge unused_entries;
};

/// All that readers may know of one image, immutable: what /metrics, the JSON API and the status page are
/// made from.
struct ImageView : ImageFacts, ImageGauges {
  std::shared_ptr<const ImagePolicy> policy;
  std::shared_ptr<const Failure> last_failure;  ///< of the last poll; null when it was complete
  std::vector<DriftView> drifts;                ///< sorted by kind, account
  std::vector<AccountId> sightings;             ///< accounts believed to have access, sorted
};

}  // namespace sharedrift
