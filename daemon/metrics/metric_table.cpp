#include "metrics/metric_table.hpp"

#include <array>

namespace sharedrift {

namespace {

using enum prometheus::MetricType;

constexpr std::array<MetricSpec, kMetricCount> kTable{{
    {"share_drift_build_info", Gauge, "revision,version", "The version that runs, always 1."},
    {"share_drift_shard_ordinal", Gauge, "", "The number of this shard, from 0."},
    {"share_drift_shards", Gauge, "",
     "How many shards share the images between them; 1 means that this one watches all."},
    {"share_drift_listing_failures_by_reason_total", Counter, "reason",
     "Polls of all images that did not end in a complete listing, by the reason."},
    {"share_drift_listing_duration_seconds", Histogram, "",
     "How long one poll of an image took, all its requests and waits included. The count is the number of "
     "polls."},
    {"share_drift_listing_overruns_total", Counter, "",
     "Polls that were due and skipped because the one before had not ended."},
    {"share_drift_closed_by_reason_total", Counter, "reason", "Drifts closed, of all images, by the reason."},
    {"share_drift_clears_held", Gauge, "",
     "Drifts and accounts whose disappearance is not believed yet because too many images lost accounts at "
     "once."},
    {"share_drift_api_requests_total", Counter, "profile", "Requests sent to the API, retries included."},
    {"share_drift_api_failures_total", Counter, "profile,reason",
     "Requests to the API that failed, by the reason."},
    {"share_drift_api_retries_total", Counter, "profile", "Requests to the API that repeat one that failed."},
    {"share_drift_api_request_duration_seconds", Histogram, "profile",
     "How long a request to the API took, failed or not."},
    {"share_drift_api_budget_requests_per_second", Gauge, "profile",
     "The most requests per second that the configuration lets go out; 0 means no limit."},
    {"share_drift_credentials_info", Gauge, "profile,source",
     "Where the credentials in use come from, always 1."},
    {"share_drift_credentials_expiry_timestamp_seconds", Gauge, "profile",
     "When the credentials in use expire, in seconds since 1970; absent for those that do not."},
    {"share_drift_credentials_obtained_timestamp_seconds", Gauge, "profile",
     "When the credentials in use were fetched or their file was last written, in seconds since 1970; absent "
     "where nobody knows."},
    {"share_drift_credentials_refresh_failures_total", Counter, "profile",
     "Attempts to get new credentials that failed."},
    {"share_drift_clock_skew_seconds", Gauge, "profile",
     "The clock of the API minus the local one, as of its last answer; absent before the first."},
    {"share_drift_config_last_reload_successful", Gauge, "",
     "Whether the last attempt to load the configuration succeeded."},
    {"share_drift_config_last_reload_success_timestamp_seconds", Gauge, "",
     "When the configuration in force was loaded, in seconds since 1970."},
    {"share_drift_config_info", Gauge, "sha256", "The SHA-256 of the configuration file in force, always 1."},
    {"share_drift_state_ok", Gauge, "",
     "Whether the state database can be written and was sound at the start."},
    {"share_drift_state_last_write_timestamp_seconds", Gauge, "",
     "When the state database was last written, in seconds since 1970; absent before the first time."},
    {"share_drift_log_lines_total", Counter, "level", "Log lines written, by level."},
    {"share_drift_log_lines_dropped_total", Counter, "",
     "Log lines that could not be written because whoever reads standard error did not take them."},
    {"share_drift_http_requests_total", Counter, "code,path",
     "Requests answered by the web server, by path and status."},
    {"process_cpu_seconds_total", Counter, "",
     "CPU time that the process has used, in user and kernel mode."},
    {"process_resident_memory_bytes", Gauge, "", "Memory of the process that is resident."},
    {"process_virtual_memory_bytes", Gauge, "", "Address space of the process."},
    {"process_start_time_seconds", Gauge, "", "When the process was started, in seconds since 1970."},
    {"process_open_fds", Gauge, "", "File descriptors that are open."},
    {"process_max_fds", Gauge, "", "File descriptors that may be open."},
    {"process_threads", Gauge, "", "Threads of the process."},
}};

}  // namespace

std::span<const MetricSpec> metric_table() {
  return kTable;
}

const MetricSpec& spec(Metric id) {
  return kTable.at(static_cast<std::size_t>(id));
}

}  // namespace sharedrift
