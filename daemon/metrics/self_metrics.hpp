#pragma once

#include "core/listing.hpp"
#include "core/owned_images.hpp"
#include "core/record.hpp"
#include "log/logging.hpp"
#include "os/process_stats.hpp"
#include "ports.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

namespace sharedrift {

/// The values of the label `path`; what is not among them is counted as `other`. `/api/v1/images/ID` and
/// `/images/ID` stand for every single image, `/metrics` for the telemetry path whatever it is set to.
inline constexpr auto kHttpPaths = std::to_array<std::string_view>(
    {"/", "/metrics", "/-/healthy", "/-/ready", "/-/reload", "/config", "/api/v1/images", "/api/v1/images/ID",
     "/api/v1/drift", "/api/v1/events", "/images/ID", "/-/poll", "other"});

/// The values of the label `reason` of refused connections.
inline constexpr std::array<std::string_view, 7> kRefusalReasons{
    "no_place",      "too_slow",           "bad_request",   "plain_http",
    "tls_handshake", "client_certificate", "no_certificate"};

/// How the state database is.
struct StateHealth {
  bool ok = false;
  std::optional<WallTime> last_write;  ///< none before the first
};

/// What does not change while the program runs.
struct Identity {
  std::string version;
  std::string revision;
  int shard_ordinal = 0;
  int shard_count = 1;
};

/// How the daemon itself is, for people.
struct OwnHealth : Identity {
  bool config_refused = false;                         ///< the last one; the one before is in force
  std::optional<WallTime> config_loaded;               ///< the one in force
  std::int64_t clears_held = 0;                        ///< by the mass-change guard
  bool state_ok = true;                                ///< of the state database
  std::map<std::string, InventoryView> inventories{};  ///< by profile, once walked
  /// By profile on whose inventory rules hang: so old its proof may be, or there may be images unknown.
  std::map<std::string, Millis> proofs_last{};
};

/// What the daemon says of itself: what happens is counted in prometheus-cpp's registry, what is the case
/// becomes a family when it is collected. Everything that can be known is there at 0 from the start; what is
/// not known (a skew never measured, an expiry that does not exist) is absent. Thread-safe.
class SelfMetrics final : public ApiObserver, public prometheus::Collectable {
 public:
  /// What is asked when somebody scrapes. Any may be empty.
  struct Sources {
    std::function<LogCounts()> log;
    std::function<std::optional<ProcessStats>()> process;
    std::function<StateHealth()> state;
  };
  struct Profile {
    std::string name;
    double requests_per_second = 0;              ///< 0: no limit
    std::optional<Millis> inventory_interval{};  ///< none: the inventory is not walked
    std::string endpoint{};                      ///< of the API
    bool discovers = false;                      ///< rules hang on its inventory
  };

  SelfMetrics(Identity identity, Sources sources);
  SelfMetrics(const SelfMetrics&) = delete;
  SelfMetrics& operator=(const SelfMetrics&) = delete;
  ~SelfMetrics() override;

  /// The profiles of the configuration in force: new ones begin at 0, kept ones go on, others' series go.
  void set_profiles(const std::vector<Profile>& profiles);

  void on_listing(const Observation& seen);
  void on_overruns(std::uint64_t periods);
  void on_inventory(std::string_view profile, const InventoryView& view);
  /// No walk: the last one, of which other images are watched now.
  void on_inventory_rewatched(std::string_view profile, const InventoryView& view);
  /// Closes by CloseReason, of all time: counters go on over a restart.
  void set_totals(const std::array<std::uint64_t, kAllCloseReasons.size()>& closes, std::int64_t clears_held);

  /// A configuration came into force.
  void config_loaded(const std::string& sha256, WallTime when);
  /// One was refused; the old one stays in force.
  void config_rejected();
  /// `path` is one of kHttpPaths.
  void on_http_request(std::string_view path, int code);
  /// `reason`: its place in kRefusalReasons.
  void on_refused_connection(std::size_t reason);

  void on_request(std::string_view profile) override;
  void on_answer(std::string_view profile, Millis took) override;
  void on_failure(std::string_view profile, Reason reason) override;
  void on_retry(std::string_view profile) override;
  void on_clock_skew(std::string_view profile, double seconds) override;
  void on_credentials(std::string_view profile, const Credentials& credentials) override;
  void on_credentials_refresh_failed(std::string_view profile) override;

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;
  [[nodiscard]] OwnHealth health() const;

 private:
  struct Counted;
  struct ProfileSeries;
  class Families;
  /// What is the case.
  struct Facts {
    std::array<std::uint64_t, kAllCloseReasons.size()> closes{};
    std::int64_t clears_held = 0;
    bool reload_successful = false;
    std::optional<WallTime> loaded;
    std::string config_sha256;
  };
  template <class Use>
  void with(std::string_view profile, Use use);
  void add_facts(Families& out) const;
  void add_profiles(Families& out) const;
  static void add_inventory(Families& out, const std::string& name, const ProfileSeries& series);
  void add_sources(Families& out) const;

  const Identity identity_;
  const Sources sources_;
  const std::unique_ptr<Counted> counted_;
  mutable std::mutex mutex_;  ///< guards what follows
  Facts facts_;
  std::map<std::string, std::unique_ptr<ProfileSeries>, std::less<>> profiles_;
};

}  // namespace sharedrift
