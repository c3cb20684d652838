#pragma once

#include "core/listing.hpp"
#include "core/record.hpp"
#include "log/logging.hpp"
#include "metrics/page_writer.hpp"
#include "os/process_stats.hpp"
#include "ports.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace sharedrift {

/// The values of the label `path`; what is not among them is counted as `other`. `/api/v1/images/ID` stands
/// for every single image, `/metrics` for the telemetry path whatever it is set to.
inline constexpr std::array<std::string_view, 11> kHttpPaths{
    "/",       "/metrics",       "/-/healthy",        "/-/ready",      "/-/reload",
    "/config", "/api/v1/images", "/api/v1/images/ID", "/api/v1/drift", "/api/v1/events",
    "other",
};

/// What the daemon says of itself: counters, histograms and gauges of its own activity, in prometheus-cpp's
/// registry. Everything that can be known is there at 0 from the start; what is not known (a skew never
/// measured, an expiry that does not exist) is absent. Thread-safe.
class SelfMetrics final : public ApiObserver {
 public:
  /// What is asked when somebody scrapes. Either may be empty.
  struct Sources {
    std::function<LogCounts()> log;
    std::function<std::optional<ProcessStats>()> process;
  };
  struct Profile {
    std::string name;
    double requests_per_second = 0;  ///< 0: no limit
  };

  SelfMetrics(const std::string& version, const std::string& revision, Sources sources);
  SelfMetrics(const SelfMetrics&) = delete;
  SelfMetrics& operator=(const SelfMetrics&) = delete;
  ~SelfMetrics() override;

  /// The profiles of the configuration in force: new ones begin at 0, kept ones go on, others' series go.
  void set_profiles(const std::vector<Profile>& profiles);

  /// Which of how many shards this is; the one of one until told.
  void set_shard(int index, int count);

  void on_attempt(const Observation& seen);
  void on_overruns(std::uint64_t periods);
  /// Closes by CloseReason, of all time: counters go on over a restart.
  void set_totals(const std::array<std::uint64_t, kAllCloseReasons.size()>& closes, std::int64_t clears_held);

  /// A configuration came into force.
  void config_loaded(const std::string& sha256, WallTime when);
  /// One was refused; the old one stays in force.
  void config_rejected();
  /// `last_write`: none before the first.
  void set_state(bool ok, std::optional<WallTime> last_write);
  /// `path` is one of kHttpPaths.
  void on_http_request(std::string_view path, int code);

  void on_request(std::string_view profile) override;
  void on_answer(std::string_view profile, Millis took) override;
  void on_failure(std::string_view profile, Reason reason) override;
  void on_retry(std::string_view profile) override;
  void on_clock_skew(std::string_view profile, double seconds) override;
  void on_credentials(std::string_view profile, const Credentials& credentials) override;
  void on_credentials_refresh_failed(std::string_view profile) override;

  /// Appends the families, heads included.
  void append_page(std::string& out, TextFormat format) const;

 private:
  struct Families;
  struct ProfileSeries;
  template <class Use>
  void with(std::string_view profile, Use use);
  void add_profile(const Profile& profile);
  void remove_profile(ProfileSeries& series);

  const Sources sources_;
  std::unique_ptr<Families> families_;
  mutable std::shared_mutex mutex_;  ///< guards the map; the series in it are atomic
  std::map<std::string, std::unique_ptr<ProfileSeries>, std::less<>> profiles_;
};

}  // namespace sharedrift
