#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace sharedrift {

/// Every metric of the program. Those of images come first: they are rendered from views (image_lines), the
/// rest is the daemon's own activity (self_metrics).
enum class Metric : std::size_t {
  // of the images; the page shows them in this order
  image_info,
  shared_accounts,
  allowed_accounts,
  unexpected_accounts,
  unexpected_accounts_min,
  canary_drift_open,
  missing_accounts,
  unlisted_accounts,
  unused_entries,
  listing_complete,
  listing_last_complete,
  listing_last_attempt,
  image_state,
  poll_interval,
  listings,
  listing_failures,
  opened,
  closed,
  flaps,
  account_since,
  exception_expiry,
  account_series_dropped,
  watched_images,
  // of the daemon
  build_info,
  shard_ordinal,
  shard_count,
  listing_failures_by_reason,
  listing_duration,
  listing_overruns,
  closed_by_reason,
  clears_held,
  api_requests,
  api_failures,
  api_retries,
  api_request_duration,
  api_budget,
  credentials_info,
  credentials_expiry,
  credentials_obtained,
  credentials_refresh_failures,
  clock_skew,
  config_last_reload_successful,
  config_last_reload_success,
  config_info,
  state_ok,
  state_last_write,
  log_lines,
  log_lines_dropped,
  http_requests,
  process_cpu,
  process_resident_memory,
  process_virtual_memory,
  process_start_time,
  process_open_fds,
  process_max_fds,
  process_threads,
};
inline constexpr std::size_t kImageMetricCount = static_cast<std::size_t>(Metric::watched_images) + 1;
inline constexpr std::size_t kMetricCount = static_cast<std::size_t>(Metric::process_threads) + 1;

enum class MetricKind { gauge, counter, histogram };
std::string_view to_string(MetricKind kind);

struct MetricSpec {
  Metric id;
  std::string_view name;  ///< as samples of gauges and counters carry it; counters end in `_total`
  MetricKind kind;
  std::string_view labels;  ///< their names, with commas, in the order of the page; "" if none
  std::string_view help;  ///< a constant line without `\`, `"` or line end: no format escapes anything in it
};

/// The one table of names, types and explanations: the page in both formats, the README's check and the
/// tests read it. In the order of Metric.
std::span<const MetricSpec> metric_table();
const MetricSpec& spec(Metric id);

}  // namespace sharedrift
