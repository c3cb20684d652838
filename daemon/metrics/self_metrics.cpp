#include "metrics/self_metrics.hpp"

#include "metrics/own_families.hpp"
#include "metrics/registering.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace sharedrift {

namespace {

using prometheus::Counter;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;
const Histogram::BucketBoundaries listing_buckets{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
const Histogram::BucketBoundaries request_buckets{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

double seconds(Millis time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

SelfMetrics::SelfMetrics(Identity identity, Sources sources)
    : identity_(std::move(identity)), sources_(std::move(sources)), counted_(std::make_unique<Counted>()) {
  for (const std::string_view path : kHttpPaths)
    counted_->http_requests.Add({{"path", std::string(path)}, {"code", "200"}});
  for (const std::string_view reason : kRefusalReasons)
    counted_->refused_connections.Add({{"reason", std::string(reason)}});
}

SelfMetrics::~SelfMetrics() = default;

void SelfMetrics::set_profiles(const std::vector<Profile>& profiles) {
  const std::lock_guard lock(mutex_);
  std::erase_if(profiles_, [&profiles](const auto& entry) {
    return std::none_of(profiles.begin(), profiles.end(),
                        [&entry](const Profile& profile) { return profile.name == entry.first; });
  });
  for (const Profile& profile : profiles) {
    std::unique_ptr<ProfileSeries>& series = profiles_[profile.name];
    if (series == nullptr) series = std::make_unique<ProfileSeries>(*counted_, profile.name);
    series->budget = profile.requests_per_second;
    series->endpoint = profile.endpoint;
    series->inventory_interval = profile.inventory_interval;
    series->discovers = profile.discovers;
  }
}

void SelfMetrics::on_listing(const Observation& seen) {
  counted_->listing_duration.Observe(seconds(seen.duration));
  if (!seen.complete) {
    counted_->listing_failures.at(static_cast<std::size_t>(seen.failure.reason))->Increment();
  }
}

void SelfMetrics::on_overruns(std::uint64_t periods) {
  counted_->listing_overruns.Increment(static_cast<double>(periods));
}

void SelfMetrics::on_inventory(std::string_view profile, const InventoryView& view) {
  with(profile, [&view](ProfileSeries& series) {
    series.inventory_reads.Increment();
    if (view.failure)
      series.inventory_failures.at(static_cast<std::size_t>(view.failure->reason))->Increment();
    series.inventory = view;
  });
}

void SelfMetrics::on_inventory_rewatched(std::string_view profile, const InventoryView& view) {
  with(profile, [&view](ProfileSeries& series) {
    if (!series.inventory) return;
    std::optional<Failure> failure = std::move(series.inventory->failure);
    series.inventory = view;
    series.inventory->failure = std::move(failure);
  });
}

void SelfMetrics::set_totals(const std::array<std::uint64_t, kAllCloseReasons.size()>& closes,
                             std::int64_t clears_held) {
  const std::lock_guard lock(mutex_);
  facts_.closes = closes;
  facts_.clears_held = clears_held;
}

void SelfMetrics::config_loaded(const std::string& sha256, WallTime when) {
  const std::lock_guard lock(mutex_);
  facts_.reload_successful = true;
  facts_.loaded = when;
  facts_.config_sha256 = sha256;
}

void SelfMetrics::config_rejected() {
  const std::lock_guard lock(mutex_);
  facts_.reload_successful = false;
}

void SelfMetrics::on_http_request(std::string_view path, int code) {
  constexpr int kFirst = 100;
  constexpr int kLast = 599;
  const bool known = std::find(kHttpPaths.begin(), kHttpPaths.end(), path) != kHttpPaths.end();
  const bool valid = code >= kFirst && code <= kLast;
  counted_->http_requests
      .Add({{"path", std::string(known ? path : kHttpPaths.back())},
            {"code", valid ? std::to_string(code) : "other"}})
      .Increment();
}

void SelfMetrics::on_refused_connection(std::size_t reason) {
  counted_->refused_connections.Add({{"reason", std::string(kRefusalReasons.at(reason))}}).Increment();
}

template <class Use>
void SelfMetrics::with(std::string_view profile, Use use) {
  const std::lock_guard lock(mutex_);
  const auto found = profiles_.find(profile);
  if (found != profiles_.end()) use(*found->second);  // else: it went with a reload
}

void SelfMetrics::on_request(std::string_view profile) {
  with(profile, [](ProfileSeries& series) { series.requests.Increment(); });
}
void SelfMetrics::on_answer(std::string_view profile, Millis took) {
  with(profile, [took](ProfileSeries& series) { series.duration.Observe(seconds(took)); });
}
void SelfMetrics::on_failure(std::string_view profile, Reason reason) {
  with(profile, [reason](ProfileSeries& series) {
    series.failures.at(static_cast<std::size_t>(reason))->Increment();
  });
}
void SelfMetrics::on_retry(std::string_view profile) {
  with(profile, [](ProfileSeries& series) { series.retries.Increment(); });
}
void SelfMetrics::on_clock_skew(std::string_view profile, double seconds_ahead) {
  with(profile, [seconds_ahead](ProfileSeries& series) {
    series.skew = std::isfinite(seconds_ahead) ? std::optional(seconds_ahead) : std::nullopt;
  });
}
void SelfMetrics::on_credentials_refresh_failed(std::string_view profile) {
  with(profile, [](ProfileSeries& series) { series.refresh_failures.Increment(); });
}
void SelfMetrics::on_credentials(std::string_view profile, const Credentials& credentials) {
  with(profile, [&credentials](ProfileSeries& series) {
    series.origin = credentials.origin;
    series.expires = credentials.expires;
    series.obtained = credentials.obtained;
  });
}

OwnHealth SelfMetrics::health() const {
  const bool state_ok = !sources_.state || sources_.state().ok;
  const std::scoped_lock lock(mutex_);
  std::map<std::string, InventoryView> inventories;
  std::map<std::string, Millis> proofs_last;
  for (const auto& [name, series] : profiles_) {
    if (series->inventory_interval && series->discovers)
      proofs_last[name] = OwnedImages::kIntervalsOfProof * *series->inventory_interval;
    if (series->inventory_interval && series->inventory) inventories.emplace(name, *series->inventory);
  }
  return {identity_.version,
          identity_.revision,
          identity_.shard_ordinal,
          identity_.shard_count,
          facts_.loaded && !facts_.reload_successful,
          facts_.loaded,
          facts_.clears_held,
          state_ok,
          std::move(inventories),
          std::move(proofs_last)};
}

void SelfMetrics::add_facts(Families& out) const {
  out.add(own::kBuildInfo, 1, {{"revision", identity_.revision}, {"version", identity_.version}});
  out.add(own::kShardOrdinal, identity_.shard_ordinal);
  out.add(own::kShardCount, identity_.shard_count);
  for (std::size_t i = 0; i < facts_.closes.size(); ++i) {
    out.add(own::kClosedByReason, static_cast<double>(facts_.closes.at(i)),
            {{"reason", std::string(to_string(kAllCloseReasons.at(i)))}});
  }
  out.add(own::kClearsHeld, static_cast<double>(facts_.clears_held));
  out.add(own::kConfigLastReloadSuccessful, facts_.reload_successful ? 1 : 0);
  out.add(own::kConfigLastReloadSuccess, facts_.loaded);
  if (facts_.loaded) out.add(own::kConfigInfo, 1, {{"sha256", facts_.config_sha256}});
}

void SelfMetrics::add_profiles(Families& out) const {
  for (const auto& [name, series] : profiles_) {
    const Families::Label profile{"profile", name};
    out.add(own::kProfileInfo, 1, {profile, {"endpoint", series->endpoint}});
    out.add(own::kApiBudget, series->budget, {profile});
    if (!series->origin.empty()) out.add(own::kCredentialsInfo, 1, {profile, {"source", series->origin}});
    out.add(own::kCredentialsExpiry, series->expires, {profile});
    out.add(own::kCredentialsObtained, series->obtained, {profile});
    if (series->skew) out.add(own::kClockSkew, *series->skew, {profile});
    if (series->inventory_interval) add_inventory(out, name, *series);
  }
}

void SelfMetrics::add_inventory(Families& out, const std::string& name, const ProfileSeries& series) {
  const InventoryView view = series.inventory.value_or(InventoryView{});
  const Families::Label profile{"profile", name};
  const auto add_count = [&](const MetricSpec& spec, const InventoryView::Count& count) {
    if (count) out.add(spec, static_cast<double>(*count), {profile});
  };
  add_count(own::kInventoryImages, view.images);
  add_count(own::kInventoryUnwatched, view.unwatched);
  for (const auto& [id, image_name] : view.some_unwatched)
    out.add(own::kInventoryUnwatchedInfo, 1, {{"image_id", id.str()}, {"image_name", image_name}, profile});
  add_count(own::kInventoryIgnored, view.ignored);
  out.add(own::kInventoryComplete, series.inventory && !view.failure ? 1 : 0, {profile});
  out.add(own::kInventoryLastComplete, view.last_complete ? unix_seconds(*view.last_complete) : 0, {profile});
  out.add(own::kInventoryInterval, seconds(*series.inventory_interval), {profile});
}

void SelfMetrics::add_sources(Families& out) const {
  if (sources_.log) {
    const LogCounts counts = sources_.log();
    for (const Level level : {Level::debug, Level::info, Level::warn, Level::error}) {
      out.add(own::kLogLines, static_cast<double>(counts.lines.at(static_cast<std::size_t>(level))),
              {{"level", std::string(to_string(level))}});
    }
    out.add(own::kLogLinesDropped, static_cast<double>(counts.dropped));
  }
  if (sources_.state) {
    const StateHealth state = sources_.state();
    out.add(own::kStateOk, state.ok ? 1 : 0);
    out.add(own::kStateLastWrite, state.last_write);
  }
  if (const auto process = sources_.process ? sources_.process() : std::nullopt) {
    out.add(own::kProcessCpu, process->cpu_seconds);
    out.add(own::kProcessResidentMemory, process->resident_bytes);
    out.add(own::kProcessVirtualMemory, process->virtual_bytes);
    out.add(own::kProcessStartTime, process->start_time_seconds);
    out.add(own::kProcessOpenFds, process->open_fds);
    out.add(own::kProcessMaxFds, process->max_fds);
    out.add(own::kProcessThreads, process->threads);
  }
}

std::vector<prometheus::MetricFamily> SelfMetrics::Collect() const {
  Families families(counted_->registry.Collect());
  add_sources(families);
  const std::lock_guard lock(mutex_);
  add_facts(families);
  add_profiles(families);
  return families.take();
}

}  // namespace sharedrift
