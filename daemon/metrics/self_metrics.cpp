#include "metrics/self_metrics.hpp"

#include "metrics/metric_table.hpp"
#include "metrics/registry_page.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace sharedrift {

namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;
template <class T>
using Family = prometheus::Family<T>;

static_assert(kAllReasons.size() == static_cast<std::size_t>(kAllReasons.back()) + 1, "indexed by Reason");

/// A gauge of which nothing is known; the page leaves it out.
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::array kListingBuckets{0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0};
constexpr std::array kRequestBuckets{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0};

template <class T>
Family<T>& family(prometheus::detail::Builder<T> builder, Metric metric, Registry& registry) {
  return builder.Name(std::string(spec(metric).name)).Help(std::string(spec(metric).help)).Register(registry);
}
Family<Counter>& counters(Metric metric, Registry& registry) {
  return family(prometheus::BuildCounter(), metric, registry);
}
Family<Gauge>& gauges(Metric metric, Registry& registry) {
  return family(prometheus::BuildGauge(), metric, registry);
}
Family<Histogram>& histograms(Metric metric, Registry& registry) {
  return family(prometheus::BuildHistogram(), metric, registry);
}

template <std::size_t kSize>
Histogram::BucketBoundaries bounds(const std::array<double, kSize>& buckets) {
  return {buckets.begin(), buckets.end()};
}

double seconds(Millis time) {
  return std::chrono::duration<double>(time).count();
}

/// A value that is asked for at the scrape.
prometheus::MetricFamily sampled(Metric metric, double value) {
  prometheus::MetricFamily family{std::string(spec(metric).name), "", prometheus::MetricType::Untyped, {}};
  prometheus::ClientMetric sample;
  sample.gauge.value = sample.counter.value = value;
  family.metric.push_back(std::move(sample));
  return family;
}

}  // namespace

struct SelfMetrics::Families {
  Registry registry;
  Family<Gauge>& build_info = gauges(Metric::build_info, registry);
  Gauge& shard_ordinal = gauges(Metric::shard_ordinal, registry).Add({});
  Gauge& shard_count = gauges(Metric::shard_count, registry).Add({}, 1);
  Family<Counter>& listing_failures_by_reason = counters(Metric::listing_failures_by_reason, registry);
  Histogram& listing_duration =
      histograms(Metric::listing_duration, registry).Add({}, bounds(kListingBuckets));
  Counter& listing_overruns = counters(Metric::listing_overruns, registry).Add({});
  Family<Counter>& closed_by_reason = counters(Metric::closed_by_reason, registry);
  Gauge& clears_held = gauges(Metric::clears_held, registry).Add({});
  Family<Counter>& api_requests = counters(Metric::api_requests, registry);
  Family<Counter>& api_failures = counters(Metric::api_failures, registry);
  Family<Counter>& api_retries = counters(Metric::api_retries, registry);
  Family<Histogram>& api_request_duration = histograms(Metric::api_request_duration, registry);
  Family<Gauge>& api_budget = gauges(Metric::api_budget, registry);
  Family<Gauge>& credentials_info = gauges(Metric::credentials_info, registry);
  Family<Gauge>& credentials_expiry = gauges(Metric::credentials_expiry, registry);
  Family<Gauge>& credentials_obtained = gauges(Metric::credentials_obtained, registry);
  Family<Counter>& refresh_failures = counters(Metric::credentials_refresh_failures, registry);
  Family<Gauge>& clock_skew = gauges(Metric::clock_skew, registry);
  Gauge& reload_successful = gauges(Metric::config_last_reload_successful, registry).Add({});
  Gauge& reload_success_time = gauges(Metric::config_last_reload_success, registry).Add({}, kUnknown);
  Family<Gauge>& config_info = gauges(Metric::config_info, registry);
  Gauge& state_ok = gauges(Metric::state_ok, registry).Add({});
  Gauge& state_last_write = gauges(Metric::state_last_write, registry).Add({}, kUnknown);
  Family<Counter>& http_requests = counters(Metric::http_requests, registry);

  std::array<Counter*, kAllReasons.size()> failure_counters{};
  std::array<Counter*, kAllCloseReasons.size()> closed_counters{};
  std::mutex config_mutex;
  Gauge* config = nullptr;  ///< the one child of config_info; guarded by config_mutex
};

struct SelfMetrics::ProfileSeries {
  std::string name;
  Counter* requests;
  Counter* retries;
  std::array<Counter*, kAllReasons.size()> failures;
  Histogram* duration;
  Gauge* budget;
  Gauge* expiry;
  Gauge* obtained;
  Counter* refresh_failures;
  Gauge* skew;
  std::mutex origin_mutex;
  std::string origin;     ///< guarded by origin_mutex
  Gauge* info = nullptr;  ///< the child of credentials_info for `origin`; guarded by origin_mutex
};

SelfMetrics::SelfMetrics(const std::string& version, const std::string& revision, Sources sources)
    : sources_(std::move(sources)), families_(std::make_unique<Families>()) {
  Families& f = *families_;
  f.build_info.Add({{"version", version}, {"revision", revision}}, 1);
  for (std::size_t i = 0; i < kAllReasons.size(); ++i) {
    f.failure_counters.at(i) =
        &f.listing_failures_by_reason.Add({{"reason", std::string(to_string(kAllReasons.at(i)))}});
  }
  for (std::size_t i = 0; i < kAllCloseReasons.size(); ++i) {
    f.closed_counters.at(i) =
        &f.closed_by_reason.Add({{"reason", std::string(to_string(kAllCloseReasons.at(i)))}});
  }
  for (const std::string_view path : kHttpPaths)
    f.http_requests.Add({{"path", std::string(path)}, {"code", "200"}});
}

SelfMetrics::~SelfMetrics() = default;

void SelfMetrics::set_profiles(const std::vector<Profile>& profiles) {
  const std::unique_lock lock(mutex_);
  for (auto entry = profiles_.begin(); entry != profiles_.end();) {
    const auto same = [&entry](const Profile& p) { return p.name == entry->first; };
    if (std::any_of(profiles.begin(), profiles.end(), same)) {
      ++entry;
    } else {
      remove_profile(*entry->second);
      entry = profiles_.erase(entry);
    }
  }
  for (const Profile& profile : profiles) {
    if (profiles_.find(profile.name) == profiles_.end()) add_profile(profile);
    profiles_.at(profile.name)->budget->Set(profile.requests_per_second);
  }
}

void SelfMetrics::add_profile(const Profile& profile) {
  Families& f = *families_;
  const Labels labels{{"profile", profile.name}};
  auto series = std::make_unique<ProfileSeries>();
  series->name = profile.name;
  series->requests = &f.api_requests.Add(labels);
  series->retries = &f.api_retries.Add(labels);
  for (std::size_t i = 0; i < kAllReasons.size(); ++i) {
    Labels with_reason = labels;
    with_reason.emplace("reason", to_string(kAllReasons.at(i)));
    series->failures.at(i) = &f.api_failures.Add(with_reason);
  }
  series->duration = &f.api_request_duration.Add(labels, bounds(kRequestBuckets));
  series->budget = &f.api_budget.Add(labels);
  series->expiry = &f.credentials_expiry.Add(labels, kUnknown);
  series->obtained = &f.credentials_obtained.Add(labels, kUnknown);
  series->refresh_failures = &f.refresh_failures.Add(labels);
  series->skew = &f.clock_skew.Add(labels, kUnknown);
  profiles_.emplace(profile.name, std::move(series));
}

void SelfMetrics::remove_profile(ProfileSeries& series) {
  Families& f = *families_;
  f.api_requests.Remove(series.requests);
  f.api_retries.Remove(series.retries);
  for (Counter* counter : series.failures)
    f.api_failures.Remove(counter);
  f.api_request_duration.Remove(series.duration);
  f.api_budget.Remove(series.budget);
  f.credentials_expiry.Remove(series.expiry);
  f.credentials_obtained.Remove(series.obtained);
  f.refresh_failures.Remove(series.refresh_failures);
  f.clock_skew.Remove(series.skew);
  if (series.info != nullptr) f.credentials_info.Remove(series.info);
}

void SelfMetrics::on_attempt(const Observation& seen) {
  families_->listing_duration.Observe(seconds(seen.duration));
  if (!seen.complete) {
    families_->failure_counters.at(static_cast<std::size_t>(seen.failure.reason))->Increment();
  }
}

void SelfMetrics::on_overruns(std::uint64_t periods) {
  families_->listing_overruns.Increment(static_cast<double>(periods));
}

void SelfMetrics::set_totals(const std::array<std::uint64_t, kAllCloseReasons.size()>& closes,
                             std::int64_t clears_held) {
  for (std::size_t i = 0; i < closes.size(); ++i) {
    Counter& counter = *families_->closed_counters.at(i);
    counter.Increment(static_cast<double>(closes.at(i)) -
                      counter.Value());  // the library ignores a step back
  }
  families_->clears_held.Set(static_cast<double>(clears_held));
}

void SelfMetrics::set_shard(int index, int count) {
  families_->shard_ordinal.Set(index);
  families_->shard_count.Set(count);
}

void SelfMetrics::config_loaded(const std::string& sha256, WallTime when) {
  Families& f = *families_;
  f.reload_successful.Set(1);
  f.reload_success_time.Set(unix_seconds(when));
  const std::lock_guard lock(f.config_mutex);
  if (f.config != nullptr) f.config_info.Remove(f.config);
  f.config = &f.config_info.Add({{"sha256", sha256}}, 1);
}

void SelfMetrics::config_rejected() {
  families_->reload_successful.Set(0);
}

void SelfMetrics::set_state(bool ok, std::optional<WallTime> last_write) {
  families_->state_ok.Set(ok ? 1 : 0);
  families_->state_last_write.Set(last_write ? unix_seconds(*last_write) : kUnknown);
}

void SelfMetrics::on_http_request(std::string_view path, int code) {
  constexpr int kFirst = 100;
  constexpr int kLast = 599;
  const bool known = std::find(kHttpPaths.begin(), kHttpPaths.end(), path) != kHttpPaths.end();
  const bool valid = code >= kFirst && code <= kLast;
  families_->http_requests
      .Add({{"path", std::string(known ? path : kHttpPaths.back())},
            {"code", valid ? std::to_string(code) : "other"}})
      .Increment();
}

template <class Use>
void SelfMetrics::with(std::string_view profile, Use use) {
  const std::shared_lock lock(mutex_);
  const auto found = profiles_.find(profile);
  if (found != profiles_.end()) use(*found->second);  // else: it went with a reload
}

void SelfMetrics::on_request(std::string_view profile) {
  with(profile, [](ProfileSeries& series) { series.requests->Increment(); });
}
void SelfMetrics::on_answer(std::string_view profile, Millis took) {
  with(profile, [took](ProfileSeries& series) { series.duration->Observe(seconds(took)); });
}
void SelfMetrics::on_failure(std::string_view profile, Reason reason) {
  with(profile, [reason](ProfileSeries& series) {
    series.failures.at(static_cast<std::size_t>(reason))->Increment();
  });
}
void SelfMetrics::on_retry(std::string_view profile) {
  with(profile, [](ProfileSeries& series) { series.retries->Increment(); });
}
void SelfMetrics::on_clock_skew(std::string_view profile, double seconds_ahead) {
  with(profile, [seconds_ahead](ProfileSeries& series) { series.skew->Set(seconds_ahead); });
}
void SelfMetrics::on_credentials_refresh_failed(std::string_view profile) {
  with(profile, [](ProfileSeries& series) { series.refresh_failures->Increment(); });
}
void SelfMetrics::on_credentials(std::string_view profile, const Credentials& credentials) {
  with(profile, [this, &credentials](ProfileSeries& series) {
    series.expiry->Set(credentials.expires ? unix_seconds(*credentials.expires) : kUnknown);
    series.obtained->Set(credentials.obtained ? unix_seconds(*credentials.obtained) : kUnknown);
    const std::lock_guard lock(series.origin_mutex);
    if (series.info != nullptr && series.origin == credentials.origin) return;
    if (series.info != nullptr) families_->credentials_info.Remove(series.info);
    series.origin = credentials.origin;
    series.info = &families_->credentials_info.Add({{"profile", series.name}, {"source", series.origin}}, 1);
  });
}

void SelfMetrics::append_page(std::string& out, TextFormat format) const {
  std::vector<prometheus::MetricFamily> families = families_->registry.Collect();
  if (sources_.log) {
    const LogCounts counts = sources_.log();
    prometheus::MetricFamily lines{
        std::string(spec(Metric::log_lines).name), "", prometheus::MetricType::Counter, {}};
    for (const Level level : {Level::debug, Level::info, Level::warn, Level::error}) {
      prometheus::ClientMetric sample;
      sample.label.push_back({"level", std::string(to_string(level))});
      sample.counter.value = static_cast<double>(counts.lines.at(static_cast<std::size_t>(level)));
      lines.metric.push_back(std::move(sample));
    }
    families.push_back(std::move(lines));
    families.push_back(sampled(Metric::log_lines_dropped, static_cast<double>(counts.dropped)));
  }
  if (const auto process = sources_.process ? sources_.process() : std::nullopt) {
    families.push_back(sampled(Metric::process_cpu, process->cpu_seconds));
    families.push_back(sampled(Metric::process_resident_memory, process->resident_bytes));
    families.push_back(sampled(Metric::process_virtual_memory, process->virtual_bytes));
    families.push_back(sampled(Metric::process_start_time, process->start_time_seconds));
    families.push_back(sampled(Metric::process_open_fds, process->open_fds));
    families.push_back(sampled(Metric::process_max_fds, process->max_fds));
    families.push_back(sampled(Metric::process_threads, process->threads));
  }
  append_families(out, std::move(families), format);
}

}  // namespace sharedrift
