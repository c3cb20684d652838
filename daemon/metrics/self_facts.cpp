// What SelfMetrics says of what is the case, when somebody scrapes.
#include "metrics/metric_spec.hpp"
#include "metrics/self_series.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace sharedrift {

namespace {

/// A value that is not known is a sample that is not there.
template <class Number>
std::optional<double> sample_of(const Number& value) {
  if constexpr (std::is_arithmetic_v<Number>) {
    return static_cast<double>(value);
  } else if constexpr (std::is_same_v<Number, std::optional<WallTime>>) {
    return value ? std::optional(unix_seconds(*value)) : std::nullopt;
  } else {
    return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
  }
}

}  // namespace

/// Families of values that are known when they are collected: counters are those whose names end in `_total`.
class SelfMetrics::Families {
 public:
  using Label = prometheus::ClientMetric::Label;
  explicit Families(std::vector<prometheus::MetricFamily> families) : families_(std::move(families)) {}

  template <class Number>
  void add(std::string_view name, std::string_view help, const Number& value,
           const std::vector<Label>& labels = {}) {
    const std::optional<double> sample = sample_of(value);
    if (!sample) return;
    auto family = std::find_if(families_.begin(), families_.end(),
                               [name](const auto& present) { return present.name == name; });
    if (family == families_.end()) {
      const bool counts = name.ends_with("_total");
      const auto type = counts ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
      family = families_.insert(family, family_of({name, type, "", help}));
    }
    add_sample(*family, *sample).label = labels;
  }
  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

void SelfMetrics::add_facts(Families& out) const {
  out.add("share_drift_build_info", "The version that runs, always 1.", 1,
          {{"revision", identity_.revision}, {"version", identity_.version}});
  out.add("share_drift_shard_ordinal", "The number of this shard, from 0.", identity_.shard_ordinal);
  out.add("share_drift_shards",
          "How many shards share the images between them; 1 means that this one watches all.",
          identity_.shard_count);
  for (std::size_t i = 0; i < facts_.closes.size(); ++i) {
    out.add("share_drift_closed_by_reason_total", "Drifts closed, of all images, by the reason.",
            facts_.closes.at(i), {{"reason", std::string(to_string(kAllCloseReasons.at(i)))}});
  }
  out.add("share_drift_clears_held",
          "Drifts and accounts whose disappearance is not believed yet because too many images lost accounts "
          "at once.",
          facts_.clears_held);
  out.add("share_drift_config_last_reload_successful",
          "Whether the last attempt to load the configuration succeeded.", facts_.reload_successful ? 1 : 0);
  out.add("share_drift_config_last_reload_success_timestamp_seconds",
          "When the configuration in force was loaded, in seconds since 1970.", facts_.loaded);
  if (facts_.loaded) {
    out.add("share_drift_config_info", "The SHA-256 of the configuration file in force, always 1.", 1,
            {{"sha256", facts_.config_sha256}});
  }
}

void SelfMetrics::add_profiles(Families& out) const {
  for (const auto& [name, series] : profiles_) {
    const Families::Label profile{"profile", name};
    out.add("share_drift_profile_info",
            "A profile and the address of the API that it asks, always 1, for the calls that alerts print.",
            1, {profile, {"endpoint", series->settings.endpoint}});
    out.add("share_drift_api_budget_requests_per_second",
            "The most requests per second that the configuration lets go out; 0 means no limit.",
            series->settings.requests_per_second, {profile});
    if (!series->origin.empty()) {
      out.add("share_drift_credentials_info", "Where the credentials in use come from, always 1.", 1,
              {profile, {"source", series->origin}});
    }
    out.add("share_drift_credentials_expiry_timestamp_seconds",
            "When the credentials in use expire, in seconds since 1970; absent for those that do not.",
            series->expires, {profile});
    out.add("share_drift_credentials_obtained_timestamp_seconds",
            "When the credentials in use were fetched or their file was last written, in seconds since 1970; "
            "absent where nobody knows.",
            series->obtained, {profile});
    out.add("share_drift_clock_skew_seconds",
            "The clock of the API minus the local one, as of its last answer; absent before the first.",
            series->skew, {profile});
    if (series->settings.inventory_interval) add_inventory(out, name, *series);
  }
}

void SelfMetrics::add_inventory(Families& out, const std::string& name, const ProfileSeries& series) {
  const InventoryView view = series.inventory.value_or(InventoryView{});
  const Families::Label profile{"profile", name};
  out.add(
      "share_drift_inventory_images",
      "Images that the account owns, as of the last walk through its inventory; absent while nobody knows.",
      view.images, {profile});
  out.add("share_drift_inventory_unwatched_images",
          "Images that the account owns and that are neither watched nor ignored; absent while nobody knows.",
          view.unwatched, {profile});
  out.add("share_drift_inventory_left_out_images",
          "Those of the images that are neither watched nor ignored for which there is no room; absent while "
          "nobody knows.",
          view.left_out, {profile});
  for (const auto& [id, image_name] : view.some_unwatched) {
    out.add("share_drift_inventory_unwatched_image_info",
            "Up to ten of the images that are neither watched nor ignored, always 1.", 1,
            {{"image_id", id.str()}, {"image_name", image_name}, profile});
  }
  out.add("share_drift_inventory_ignored_images",
          "Images that the account owns and that the configuration ignores; absent while nobody knows.",
          view.ignored, {profile});
  out.add("share_drift_inventory_complete",
          "Whether the last walk through the inventory gave a list that is proven complete.",
          series.inventory && !view.failure ? 1 : 0, {profile});
  out.add("share_drift_inventory_last_complete_timestamp_seconds",
          "When the inventory was last proven complete, in seconds since 1970; 0 if never.",
          view.last_complete ? unix_seconds(*view.last_complete) : 0, {profile});
  out.add("share_drift_inventory_interval_seconds", "How often the inventory is walked through.",
          std::chrono::duration<double>(*series.settings.inventory_interval).count(), {profile});
}

void SelfMetrics::add_sources(Families& out) const {
  if (sources_.log) {
    const LogCounts counts = sources_.log();
    for (const Level level : kAllLevels) {
      out.add("share_drift_log_lines_total", "Log lines written, by level.",
              counts.lines.at(static_cast<std::size_t>(level)), {{"level", std::string(to_string(level))}});
    }
    out.add("share_drift_log_lines_dropped_total",
            "Log lines that could not be written because whoever reads standard error did not take them.",
            counts.dropped);
  }
  if (sources_.state) {
    const StateHealth state = sources_.state();
    out.add("share_drift_state_ok", "Whether the state database can be written and was sound at the start.",
            state.ok ? 1 : 0);
    out.add("share_drift_state_last_write_timestamp_seconds",
            "When the state database was last written, in seconds since 1970; absent before the first time.",
            state.last_write);
  }
  if (const auto process = sources_.process ? sources_.process() : std::nullopt) {
    out.add("process_cpu_seconds_total", "CPU time that the process has used, in user and kernel mode.",
            process->cpu_seconds);
    out.add("process_resident_memory_bytes", "Memory of the process that is resident.",
            process->resident_bytes);
    out.add("process_virtual_memory_bytes", "Address space of the process.", process->virtual_bytes);
    out.add("process_start_time_seconds", "When the process was started, in seconds since 1970.",
            process->start_time_seconds);
    out.add("process_open_fds", "File descriptors that are open.", process->open_fds);
    out.add("process_max_fds", "File descriptors that may be open.", process->max_fds);
    out.add("process_threads", "Threads of the process.", process->threads);
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

OwnHealth SelfMetrics::health() const {
  const bool state_ok = !sources_.state || sources_.state().ok;
  const std::scoped_lock lock(mutex_);
  std::map<std::string, InventoryView> inventories;
  std::map<std::string, Millis> proofs_last;
  for (const auto& [name, series] : profiles_) {
    if (series->settings.inventory_interval && series->settings.discovers)
      proofs_last[name] = OwnedImages::kIntervalsOfProof * *series->settings.inventory_interval;
    if (series->settings.inventory_interval && series->inventory)
      inventories.emplace(name, *series->inventory);
  }
  return {identity_,
          facts_.loaded && !facts_.reload_successful,
          facts_.loaded,
          facts_.clears_held,
          state_ok,
          std::move(inventories),
          std::move(proofs_last)};
}

}  // namespace sharedrift
