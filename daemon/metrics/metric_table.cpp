#include "metrics/metric_table.hpp"

#include <array>

namespace sharedrift {

namespace {

using enum MetricKind;

constexpr std::array<MetricSpec, kMetricCount> kTable{{
    {Metric::image_info, "share_drift_image_info", gauge, "image_id,image_name,team,severity,profile",
     "A watched image and how it is configured, always 1, for joins."},
    {Metric::shared_accounts, "share_drift_shared_accounts", gauge, "image_id",
     "Distinct accounts in the last complete listing, as of the last poll."},
    {Metric::allowed_accounts, "share_drift_allowed_accounts", gauge, "image_id",
     "Accounts that the allow-list lets in, as of the last poll: required, allowed and unexpired "
     "exceptions."},
    {Metric::unexpected_accounts, "share_drift_unexpected_accounts", gauge, "image_id",
     "Accounts that have access and should not, as of the last poll. Rises on partial reads too, falls only "
     "on proof; absent while nothing is proven."},
    {Metric::unexpected_accounts_min, "share_drift_unexpected_accounts_min", gauge, "image_id",
     "TotalCount of the last answer that had one minus the accounts that the allow-list lets in, at least 0, "
     "as of the last poll: at least so many unexpected accounts there must be, listed or not, if the API "
     "counts right."},
    {Metric::canary_drift_open, "share_drift_canary_drift_open", gauge, "image_id",
     "Whether the drift that a canary image must always show is seen, as of the last poll. Anything but 1 "
     "means that the detection is broken."},
    {Metric::missing_accounts, "share_drift_missing_accounts", gauge, "image_id",
     "Accounts that must have access and are proven not to have it, as of the last poll; absent while "
     "nothing is proven."},
    {Metric::unlisted_accounts, "share_drift_unlisted_accounts", gauge, "image_id",
     "Accounts that the API counted but did not list, as of the last poll."},
    {Metric::unused_entries, "share_drift_unused_entries", gauge, "image_id",
     "Allow-list entries that match nothing in the last complete listing, as of the last poll."},
    {Metric::listing_complete, "share_drift_listing_complete", gauge, "image_id",
     "Whether the last poll gave a listing that is proven complete."},
    {Metric::listing_last_complete, "share_drift_listing_last_complete_timestamp_seconds", gauge, "image_id",
     "When the last complete listing ended, in seconds since 1970; 0 if there never was one."},
    {Metric::listing_last_attempt, "share_drift_listing_last_attempt_timestamp_seconds", gauge, "image_id",
     "When the last poll ended, with a complete listing or not, in seconds since 1970; 0 if there never was "
     "one."},
    {Metric::image_state, "share_drift_image_state", gauge, "image_id,state",
     "The state of the image as of the last poll, always 1: only the present state is there."},
    {Metric::poll_interval, "share_drift_poll_interval_seconds", gauge, "image_id",
     "How often the image is polled."},
    {Metric::listings, "share_drift_listings_total", counter, "image_id",
     "Polls of the image: each asks once with whom it is shared."},
    {Metric::listing_failures, "share_drift_listing_failures_total", counter, "image_id",
     "Polls of the image that did not end in a complete listing."},
    {Metric::opened, "share_drift_opened_total", counter, "image_id,kind",
     "Drifts opened: an account that should not have access, or lost access that it must have."},
    {Metric::closed, "share_drift_closed_total", counter, "image_id,kind",
     "Drifts closed, for whatever reason."},
    {Metric::flaps, "share_drift_flaps_total", counter, "image_id",
     "Drifts that were seen again while their absence was being confirmed."},
    {Metric::account_since, "share_drift_account_since_timestamp_seconds", gauge,
     "image_id,account_id,account_name,kind",
     "Since when a drift is open, in seconds since 1970, as of the last poll. The 200 oldest of all images."},
    {Metric::exception_expiry, "share_drift_exception_expiry_timestamp_seconds", gauge, "image_id,account_id",
     "When a temporary permission ends or ended, in seconds since 1970. The 200 earliest of all images."},
    {Metric::account_series_dropped, "share_drift_account_series_dropped", gauge, "",
     "Series of single accounts that are left out because there may be 200 in a family."},
    {Metric::watched_images, "share_drift_watched_images", gauge, "", "Images that this daemon watches."},

    {Metric::build_info, "share_drift_build_info", gauge, "revision,version",
     "The version that runs, always 1."},
    {Metric::shard_ordinal, "share_drift_shard_ordinal", gauge, "", "The number of this shard, from 0."},
    {Metric::shard_count, "share_drift_shards", gauge, "",
     "How many shards share the images between them; 1 means that this one watches all."},
    {Metric::listing_failures_by_reason, "share_drift_listing_failures_by_reason_total", counter, "reason",
     "Polls of all images that did not end in a complete listing, by the reason."},
    {Metric::listing_duration, "share_drift_listing_duration_seconds", histogram, "",
     "How long one poll of an image took, all its requests and waits included. The count is the number of "
     "polls."},
    {Metric::listing_overruns, "share_drift_listing_overruns_total", counter, "",
     "Polls that were due and skipped because the one before had not ended."},
    {Metric::closed_by_reason, "share_drift_closed_by_reason_total", counter, "reason",
     "Drifts closed, of all images, by the reason."},
    {Metric::clears_held, "share_drift_clears_held", gauge, "",
     "Drifts and accounts whose disappearance is not believed yet because too many images lost accounts at "
     "once."},
    {Metric::api_requests, "share_drift_api_requests_total", counter, "profile",
     "Requests sent to the API, retries included."},
    {Metric::api_failures, "share_drift_api_failures_total", counter, "profile,reason",
     "Requests to the API that failed, by the reason."},
    {Metric::api_retries, "share_drift_api_retries_total", counter, "profile",
     "Requests to the API that repeat one that failed."},
    {Metric::api_request_duration, "share_drift_api_request_duration_seconds", histogram, "profile",
     "How long a request to the API took, failed or not."},
    {Metric::api_budget, "share_drift_api_budget_requests_per_second", gauge, "profile",
     "The most requests per second that the configuration lets go out; 0 means no limit."},
    {Metric::credentials_info, "share_drift_credentials_info", gauge, "profile,source",
     "Where the credentials in use come from, always 1."},
    {Metric::credentials_expiry, "share_drift_credentials_expiry_timestamp_seconds", gauge, "profile",
     "When the credentials in use expire, in seconds since 1970; absent for those that do not."},
    {Metric::credentials_obtained, "share_drift_credentials_obtained_timestamp_seconds", gauge, "profile",
     "When the credentials in use were fetched or their file was last written, in seconds since 1970; absent "
     "where nobody knows."},
    {Metric::credentials_refresh_failures, "share_drift_credentials_refresh_failures_total", counter,
     "profile", "Attempts to get new credentials that failed."},
    {Metric::clock_skew, "share_drift_clock_skew_seconds", gauge, "profile",
     "The clock of the API minus the local one, as of its last answer; absent before the first."},
    {Metric::config_last_reload_successful, "share_drift_config_last_reload_successful", gauge, "",
     "Whether the last attempt to load the configuration succeeded."},
    {Metric::config_last_reload_success, "share_drift_config_last_reload_success_timestamp_seconds", gauge,
     "", "When the configuration in force was loaded, in seconds since 1970."},
    {Metric::config_info, "share_drift_config_info", gauge, "sha256",
     "The SHA-256 of the configuration file in force, always 1."},
    {Metric::state_ok, "share_drift_state_ok", gauge, "",
     "Whether the state database can be written and was sound at the start."},
    {Metric::state_last_write, "share_drift_state_last_write_timestamp_seconds", gauge, "",
     "When the state database was last written, in seconds since 1970; absent before the first time."},
    {Metric::log_lines, "share_drift_log_lines_total", counter, "level", "Log lines written, by level."},
    {Metric::log_lines_dropped, "share_drift_log_lines_dropped_total", counter, "",
     "Log lines that could not be written because whoever reads standard error did not take them."},
    {Metric::http_requests, "share_drift_http_requests_total", counter, "code,path",
     "Requests answered by the web server, by path and status."},
    {Metric::process_cpu, "process_cpu_seconds_total", counter, "",
     "CPU time that the process has used, in user and kernel mode."},
    {Metric::process_resident_memory, "process_resident_memory_bytes", gauge, "",
     "Memory of the process that is resident."},
    {Metric::process_virtual_memory, "process_virtual_memory_bytes", gauge, "",
     "Address space of the process."},
    {Metric::process_start_time, "process_start_time_seconds", gauge, "",
     "When the process was started, in seconds since 1970."},
    {Metric::process_open_fds, "process_open_fds", gauge, "", "File descriptors that are open."},
    {Metric::process_max_fds, "process_max_fds", gauge, "", "File descriptors that may be open."},
    {Metric::process_threads, "process_threads", gauge, "", "Threads of the process."},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].id) != i) return false;
  }
  return true;
}
static_assert(in_order(), "the table is indexed by Metric");

}  // namespace

std::string_view to_string(MetricKind kind) {
  switch (kind) {
    case gauge: return "gauge";
    case counter: return "counter";
    case histogram: return "histogram";
  }
  return "gauge";
}

std::span<const MetricSpec> metric_table() {
  return kTable;
}

const MetricSpec& spec(Metric id) {
  return kTable.at(static_cast<std::size_t>(id));
}

}  // namespace sharedrift
