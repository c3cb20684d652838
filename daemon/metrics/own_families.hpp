#pragma once

#include "metrics/metric_spec.hpp"

/// The families of the daemon's own activity.
namespace sharedrift::own {

using enum prometheus::MetricType;

constexpr MetricSpec kBuildInfo{"share_drift_build_info", Gauge, "revision,version",
                                "The version that runs, always 1."};
constexpr MetricSpec kShardOrdinal{"share_drift_shard_ordinal", Gauge, "",
                                   "The number of this shard, from 0."};
constexpr MetricSpec kShardCount{
    "share_drift_shards", Gauge, "",
    "How many shards share the images between them; 1 means that this one watches all."};
constexpr MetricSpec kListingFailuresByReason{
    "share_drift_listing_failures_by_reason_total", Counter, "reason",
    "Polls of all images that did not end in a complete listing, by the reason."};
constexpr MetricSpec kListingDuration{"share_drift_listing_duration_seconds", Histogram, "",
                                      "How long one poll of an image took, all its requests and waits "
                                      "included. The count is the number of polls."};
constexpr MetricSpec kListingOverruns{
    "share_drift_listing_overruns_total", Counter, "",
    "Polls that were due and skipped because the one before had not ended."};
constexpr MetricSpec kClosedByReason{"share_drift_closed_by_reason_total", Counter, "reason",
                                     "Drifts closed, of all images, by the reason."};
constexpr MetricSpec kClearsHeld{"share_drift_clears_held", Gauge, "",
                                 "Drifts and accounts whose disappearance is not believed yet because "
                                 "too many images lost accounts at once."};
constexpr MetricSpec kApiRequests{"share_drift_api_requests_total", Counter, "profile",
                                  "Requests sent to the API, retries included."};
constexpr MetricSpec kApiFailures{"share_drift_api_failures_total", Counter, "profile,reason",
                                  "Requests to the API that failed, by the reason."};
constexpr MetricSpec kApiRetries{"share_drift_api_retries_total", Counter, "profile",
                                 "Requests to the API that repeat one that failed."};
constexpr MetricSpec kApiRequestDuration{"share_drift_api_request_duration_seconds", Histogram, "profile",
                                         "How long a request to the API took, failed or not."};
constexpr MetricSpec kApiBudget{
    "share_drift_api_budget_requests_per_second", Gauge, "profile",
    "The most requests per second that the configuration lets go out; 0 means no limit."};
constexpr MetricSpec kProfileInfo{
    "share_drift_profile_info", Gauge, "profile,endpoint",
    "A profile and the address of the API that it asks, always 1, for the calls that alerts print."};
constexpr MetricSpec kCredentialsInfo{"share_drift_credentials_info", Gauge, "profile,source",
                                      "Where the credentials in use come from, always 1."};
constexpr MetricSpec kCredentialsExpiry{
    "share_drift_credentials_expiry_timestamp_seconds", Gauge, "profile",
    "When the credentials in use expire, in seconds since 1970; absent for those that do not."};
constexpr MetricSpec kCredentialsObtained{
    "share_drift_credentials_obtained_timestamp_seconds", Gauge, "profile",
    "When the credentials in use were fetched or their file was last written, in seconds since 1970; absent "
    "where nobody knows."};
constexpr MetricSpec kCredentialsRefreshFailures{"share_drift_credentials_refresh_failures_total", Counter,
                                                 "profile", "Attempts to get new credentials that failed."};
constexpr MetricSpec kClockSkew{
    "share_drift_clock_skew_seconds", Gauge, "profile",
    "The clock of the API minus the local one, as of its last answer; absent before the first."};
constexpr MetricSpec kInventoryImages{
    "share_drift_inventory_images", Gauge, "profile",
    "Images that the account owns, as of the last walk through its inventory; absent while nobody knows."};
constexpr MetricSpec kInventoryUnwatched{
    "share_drift_inventory_unwatched_images", Gauge, "profile",
    "Images that the account owns and that are neither watched nor ignored; absent while nobody knows."};
constexpr MetricSpec kInventoryUnwatchedInfo{
    "share_drift_inventory_unwatched_image_info", Gauge, "image_id,image_name,profile",
    "Up to ten of the images that are neither watched nor ignored, always 1."};
constexpr MetricSpec kInventoryIgnored{
    "share_drift_inventory_ignored_images", Gauge, "profile",
    "Images that the account owns and that the configuration ignores; absent while nobody knows."};
constexpr MetricSpec kInventoryComplete{
    "share_drift_inventory_complete", Gauge, "profile",
    "Whether the last walk through the inventory gave a list that is proven complete."};
constexpr MetricSpec kInventoryLastComplete{
    "share_drift_inventory_last_complete_timestamp_seconds", Gauge, "profile",
    "When the inventory was last proven complete, in seconds since 1970; 0 if never."};
constexpr MetricSpec kInventoryInterval{"share_drift_inventory_interval_seconds", Gauge, "profile",
                                        "How often the inventory is walked through."};
constexpr MetricSpec kInventoryReads{"share_drift_inventory_reads_total", Counter, "profile",
                                     "Walks through the inventory that ended."};
constexpr MetricSpec kInventoryReadFailures{
    "share_drift_inventory_read_failures_total", Counter, "profile,reason",
    "Walks through the inventory that gave no complete list, by the reason."};
constexpr MetricSpec kConfigLastReloadSuccessful{
    "share_drift_config_last_reload_successful", Gauge, "",
    "Whether the last attempt to load the configuration succeeded."};
constexpr MetricSpec kConfigLastReloadSuccess{
    "share_drift_config_last_reload_success_timestamp_seconds", Gauge, "",
    "When the configuration in force was loaded, in seconds since 1970."};
constexpr MetricSpec kConfigInfo{"share_drift_config_info", Gauge, "sha256",
                                 "The SHA-256 of the configuration file in force, always 1."};
constexpr MetricSpec kStateOk{"share_drift_state_ok", Gauge, "",
                              "Whether the state database can be written and was sound at the start."};
constexpr MetricSpec kStateLastWrite{
    "share_drift_state_last_write_timestamp_seconds", Gauge, "",
    "When the state database was last written, in seconds since 1970; absent before the first time."};
constexpr MetricSpec kLogLines{"share_drift_log_lines_total", Counter, "level",
                               "Log lines written, by level."};
constexpr MetricSpec kLogLinesDropped{
    "share_drift_log_lines_dropped_total", Counter, "",
    "Log lines that could not be written because whoever reads standard error did not take them."};
constexpr MetricSpec kHttpRequests{"share_drift_http_requests_total", Counter, "code,path",
                                   "Requests answered by the web server, by path and status."};
constexpr MetricSpec kHttpRefusedConnections{"share_drift_http_refused_connections_total", Counter, "reason",
                                             "Connections that the web server refused, by reason."};
constexpr MetricSpec kProcessCpu{"process_cpu_seconds_total", Counter, "",
                                 "CPU time that the process has used, in user and kernel mode."};
constexpr MetricSpec kProcessResidentMemory{"process_resident_memory_bytes", Gauge, "",
                                            "Memory of the process that is resident."};
constexpr MetricSpec kProcessVirtualMemory{"process_virtual_memory_bytes", Gauge, "",
                                           "Address space of the process."};
constexpr MetricSpec kProcessStartTime{"process_start_time_seconds", Gauge, "",
                                       "When the process was started, in seconds since 1970."};
constexpr MetricSpec kProcessOpenFds{"process_open_fds", Gauge, "", "File descriptors that are open."};
constexpr MetricSpec kProcessMaxFds{"process_max_fds", Gauge, "", "File descriptors that may be open."};
constexpr MetricSpec kProcessThreads{"process_threads", Gauge, "", "Threads of the process."};

}  // namespace sharedrift::own
