#pragma once

#include "metrics/metric_spec.hpp"

#include <cstddef>
#include <span>

namespace sharedrift {

/// The metrics of the daemon's own activity (self_metrics); those of images are in image_families.
enum class Metric : std::size_t {
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
inline constexpr std::size_t kMetricCount = static_cast<std::size_t>(Metric::process_threads) + 1;

/// In the order of Metric.
std::span<const MetricSpec> metric_table();
const MetricSpec& spec(Metric id);

}  // namespace sharedrift
