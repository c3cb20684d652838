#include "metrics/self_metrics.hpp"

#include "metrics/self_series.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sharedrift {

namespace {

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
    series->settings = profile;
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

}  // namespace sharedrift
