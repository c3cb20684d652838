#pragma once

#include "core/failure.hpp"
#include "metrics/self_metrics.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

/// What SelfMetrics counts, in prometheus-cpp's registry, which owns it. Inside SelfMetrics only.
namespace sharedrift {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;

inline Family<Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
inline Family<Histogram>& histograms(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

/// A counter of each reason, in the order of kAllReasons.
using ByReason = std::array<Counter*, kAllReasons.size()>;
inline ByReason by_reason(Family<Counter>& family, prometheus::Labels labels) {
  ByReason out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    labels["reason"] = to_string(kAllReasons.at(i));
    out.at(i) = &family.Add(labels);
  }
  return out;
}

/// What happens.
struct SelfMetrics::Counted {
  prometheus::Registry registry;
  ByReason listing_failures =
      by_reason(counters(registry, "share_drift_listing_failures_by_reason_total",
                         "Polls of all images that did not end in a complete listing, by the reason."),
                {});
  Histogram& listing_duration =
      histograms(registry, "share_drift_listing_duration_seconds",
                 "How long one poll of an image took, all its requests and waits "
                 "included. The count is the number of polls.")
          .Add({}, Histogram::BucketBoundaries{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300});
  Counter& listing_overruns =
      counters(registry, "share_drift_listing_overruns_total",
               "Polls that were due and skipped because the one before had not ended.")
          .Add({});
  Family<Counter>& api_requests =
      counters(registry, "share_drift_api_requests_total", "Requests sent to the API, retries included.");
  Family<Counter>& api_failures =
      counters(registry, "share_drift_api_failures_total", "Requests to the API that failed, by the reason.");
  Family<Counter>& api_retries =
      counters(registry, "share_drift_api_retries_total", "Requests to the API that repeat one that failed.");
  Family<Histogram>& api_request_duration = histograms(registry, "share_drift_api_request_duration_seconds",
                                                       "How long a request to the API took, failed or not.");
  Family<Counter>& refresh_failures = counters(registry, "share_drift_credentials_refresh_failures_total",
                                               "Attempts to get new credentials that failed.");
  Family<Counter>& inventory_reads =
      counters(registry, "share_drift_inventory_reads_total", "Walks through the inventory that ended.");
  Family<Counter>& inventory_read_failures =
      counters(registry, "share_drift_inventory_read_failures_total",
               "Walks through the inventory that gave no complete list, by the reason.");
  Family<Counter>& http_requests = counters(registry, "share_drift_http_requests_total",
                                            "Requests answered by the web server, by path and status.");
  Family<Counter>& refused_connections = counters(registry, "share_drift_http_refused_connections_total",
                                                  "Connections that the web server refused, by reason.");
};

/// Of one profile; its series go with it.
struct SelfMetrics::ProfileSeries {
  ProfileSeries(Counted& all, const std::string& name) : counted(all), labels{{"profile", name}} {}
  ProfileSeries(const ProfileSeries&) = delete;
  ProfileSeries& operator=(const ProfileSeries&) = delete;
  ~ProfileSeries() {
    counted.api_requests.Remove(&requests);
    counted.api_retries.Remove(&retries);
    for (Counter* counter : failures)
      counted.api_failures.Remove(counter);
    counted.api_request_duration.Remove(&duration);
    counted.refresh_failures.Remove(&refresh_failures);
    counted.inventory_reads.Remove(&inventory_reads);
    for (Counter* counter : inventory_failures)
      counted.inventory_read_failures.Remove(counter);
  }

  Counted& counted;
  prometheus::Labels labels;
  Counter& requests = counted.api_requests.Add(labels);
  Counter& retries = counted.api_retries.Add(labels);
  ByReason failures = by_reason(counted.api_failures, labels);
  Histogram& duration = counted.api_request_duration.Add(
      labels, Histogram::BucketBoundaries{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10});
  Counter& refresh_failures = counted.refresh_failures.Add(labels);
  Counter& inventory_reads = counted.inventory_reads.Add(labels);
  ByReason inventory_failures = by_reason(counted.inventory_read_failures, labels);
  Profile settings;
  std::optional<InventoryView> inventory;  ///< none before the first walk
  std::optional<double> skew;
  std::string origin;  ///< of the credentials; empty: none yet
  std::optional<WallTime> expires;
  std::optional<WallTime> obtained;
};

}  // namespace sharedrift
