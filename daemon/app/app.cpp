#include "app/app.hpp"

#include "app/config_references.hpp"
#include "app/current_config.hpp"
#include "app/ens_sources.hpp"
#include "app/listeners.hpp"
#include "app/news.hpp"
#include "app/output.hpp"
#include "app/surface.hpp"
#include "app/version.hpp"
#include "config/config_writer.hpp"
#include "core/text.hpp"
#include "http_client/curl_transport.hpp"
#include "log/logging.hpp"
#include "metrics/exposition.hpp"
#include "metrics/self_metrics.hpp"
#include "metrics/view_store.hpp"
#include "os/process.hpp"
#include "os/sd_notify.hpp"
#include "os/system_clock.hpp"
#include "os/system_random.hpp"
#include "poll/engine.hpp"
#include "store/event_reader.hpp"
#include "store/state_db.hpp"
#include "store/state_file.hpp"
#include "web/web_routes.hpp"
#include "web/web_security.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <utility>

#include <unistd.h>

namespace sharedrift {

namespace {

using namespace std::chrono_literals;

constexpr int kStartFailure = 1;
constexpr int kBug = 70;
constexpr Millis kDrain = 2s;
/// Files that did not change are loaded no sooner: a flood of requests would be a flood of lines.
constexpr Millis kReloadAgain = 10s;
constexpr Millis kLookEvery = 30s;
/// By then the start and the first polls have left behind what they needed once.
constexpr Millis kFirstLook = 1s;
constexpr int kWakeMain = SIGUSR1;

std::vector<Field> refusal(const std::string& file, const std::vector<Diagnostic>& faults) {
  return {{"file", file}, {"errors", static_cast<std::int64_t>(faults.size())}, {"reason", summary(faults)}};
}

/// Members in the order in which they depend on each other, so that destruction takes them down in turn.
class App {
 public:
  explicit App(const Options& options)
      : options_(options),
        logger_({options.log_level, options.log_format, 2,
                 is_journal_stream(2, std::getenv("JOURNAL_STREAM"))}) {}

  int run() {
    auto config = config_.load();
    if (!config) return refuse(to_lines(config.error()));
    if (auto door = open_door(); !door) return refuse(door.error());
    if (options_.config_check) {
      for (const ConfigPart& part : (*config)->files)
        print(part.file + ": good\n");
      return 0;
    }
    auto store = StateDb::open(state_path(options_.storage_path), (*config)->poll.state_retention, logger_,
                               clock_, StateLimits::of(watch_list(**config, shard())));
    if (!store) return refuse(store.error(), kStartFailure);
    store_ = std::move(*store);
    build_engine(*config);
    if (auto listening = listen(); !listening) return refuse(listening.error(), kStartFailure);
    release_free_heap();  // what reading the configuration and the past took is not needed again
    engine_->start();
    tell(EventType::started, started_fields());
    tell_warnings();
    SystemdNotifier::ready(status_line());
    const int code = serve();
    stop();
    return code;
  }

 private:
  using ConfigPtr = CurrentConfig::Ptr;

  /// What --config.trust-file-mode gives up, and what will not work for long.
  void tell_warnings() {
    for (const Diagnostic& file : config_.untrusted())
      tell(EventType::config_untrusted, {{"file", file.file}});
    for (const auto& doubts :
         {config_.doubts(), check_web_references(options_.web_config_file, clock_.wall()),
          check_state_folder(store_->path())}) {
      for (const Diagnostic& doubt : doubts)
        tell(EventType::config_warning, {{"file", doubt.file}, {"reason", to_string(doubt)}});
    }
  }

  /// TLS, users and headers; without a web config the door stays open.
  Result<Unit, std::string> open_door() {
    if (options_.web_config_file.empty()) return Unit{};
    auto door = WebSecurity::open(options_.web_config_file, clock_, [this](const auto& faults) {
      if (faults.empty()) {
        tell(EventType::web_config_reloaded, {{"file", options_.web_config_file}});
      } else {
        tell(EventType::web_config_rejected, refusal(options_.web_config_file, faults));
      }
    });
    if (!door) return Err(to_lines(door.error()));
    door_ = std::move(*door);
    return Unit{};
  }

  [[nodiscard]] Shard shard() const { return {options_.shard_index, options_.shard_count}; }

  void build_engine(const ConfigPtr& config) {
    const EnsWorld world{clock_,  random_,          transport_,
                         timers_, credential_news_, [this] { transport_.wake(); }};
    engine_ = std::make_unique<Engine>(
        Engine::Ports{clock_, random_, transport_, timers_, *store_, logger_, surface_,
                      [world](const Config& c, std::unique_ptr<ShareSources> previous) {
                        return make_ens_sources(c, std::move(previous), world);
                      },
                      [this](const std::string& bug) {
                        tell(EventType::internal_error, {{"detail", clean(bug)}});
                        failed_ = true;
                        ::kill(::getpid(), kWakeMain);
                      }},
        shard());
    surface_.await(discovering(*config));
    in_force(config);
    const EarlyEnd early_end([this] { logger_.on_event({EventType::stopping, clock_.wall(), "", {}}); });
    engine_->restore(config);
  }

  /// Readers learn of a configuration that is now in force.
  void in_force(const ConfigPtr& config) {
    views_.set_account_names(config->account_names);
    std::vector<SelfMetrics::Profile> profiles;
    const InventoryConfig& inventory = config->inventory;
    const auto walked = inventory.enabled ? std::optional(inventory.interval) : std::nullopt;
    for (const ProfileConfig& p : config->profiles)
      profiles.push_back({p.name, p.requests_per_second, walked, p.endpoint, discovers(*config, p.name)});
    metrics_.set_profiles(profiles);
    metrics_.config_loaded(config->sha256, clock_.wall());
    config_.set(config);
  }

  Result<Unit, std::string> listen() {
    routes_ = std::make_unique<WebRoutes>(
        make_backend(), WebOptions{options_.telemetry_path, options_.enable_lifecycle, options_.route_prefix,
                                   options_.external_url});
    ServerOptions server;
    if (options_.max_requests > 0) server.workers = std::min(server.workers, options_.max_requests);
    server.on_refused = [this](Refusal why, const std::string& address) {
      refusal_news_.on_refused(why, address);
    };
    if (door_ && door_->has_tls()) server.tls_context = [this] { return door_->tls_context(); };
    SD_TRY(sockets, open_listeners(options_, logger_, clock_));
    SD_TRY(started, HttpServer::start(sockets, std::move(server), [this](const ServerRequest& request) {
             return routes_->answer(request);
           }));
    server_ = std::move(started);
    return Unit{};
  }

  WebBackend make_backend() {
    WebBackend backend;
    backend.fleet = [this] { return views_.fleet(clock_.wall()); };
    backend.metrics = [this](TextFormat format, Encoding encoding) {
      return exposition_.page(format, encoding);
    };
    backend.ready = [this] { return !stopping_ && surface_.first_cycle_done(); };
    backend.config = [this] { return to_yaml(*config_.in_force()); };
    backend.events = [this](const EventQuery& query) {
      return read_events(store_->path(), query, "it was removed, or cannot be made; the log says which");
    };
    backend.reload = [this] { return reload_if_changed(kReloadAgain); };
    backend.poll = [this](const ImageId& image) { engine_->poll_soon(image); };
    backend.endpoints = [this] { return endpoints_of(*config_.in_force()); };
    backend.health = [this] { return metrics_.health(); };
    backend.now = [this] { return clock_.wall(); };
    if (door_) {
      backend.refuse = [this](const ServerRequest& request) { return door_->refuse(request); };
      backend.headers = [this] { return door_->headers(); };
    }
    backend.count = [this](std::string_view path, int code) { metrics_.on_http_request(path, code); };
    return backend;
  }

  /// The whole new configuration or none of it. Thread-safe; one at a time.
  Result<Unit, std::string> reload_if_changed(Millis unless_tried_since) {
    const std::scoped_lock one_at_a_time(reload_mutex_);
    const auto since = std::chrono::floor<Millis>(clock_.now().mono - tried_.first);
    if (since >= unless_tried_since || config_.changed()) tried_ = {clock_.now().mono, reload()};
    return tried_.second;
  }

  Result<Unit, std::string> reload() {
    if (stopping_) return Err(std::string{"the daemon is stopping\n"});
    SystemdNotifier::reloading();
    auto config = config_.load();
    if (!config) {
      metrics_.config_rejected();
      tell(EventType::config_rejected, refusal(config_name(options_), config.error()));
      SystemdNotifier::ready(status_line());
      return Err(to_lines(config.error()));
    }
    in_force(*config);
    surface_.await_no_more_than(discovering(**config));
    store_->set_retention((*config)->poll.state_retention);
    engine_->reload(*config);
    release_free_heap();  // the old configuration, and what reading the new one took
    tell(EventType::config_reloaded,
         {{"config", (*config)->sha256.substr(0, 12)}, {"images", watched_images()}});
    tell_warnings();
    SystemdNotifier::ready(status_line());
    return Unit{};
  }

  [[nodiscard]] std::int64_t watched_images() const { return static_cast<std::int64_t>(views_.size()); }

  int serve() {
    const sigset_t signals = signal_set({SIGTERM, SIGINT, SIGHUP, kWakeMain});
    const auto watchdog = SystemdNotifier::watchdog_interval();
    const Millis look = watchdog ? std::min(kLookEvery, *watchdog / 2) : kLookEvery;
    std::uint64_t turns = engine_->turns();
    MonoTime next_look = clock_.now().mono + std::min(kFirstLook, look);
    MonoTime next_reload = options_.auto_reload ? clock_.now().mono + *options_.auto_reload : MonoTime::max();
    while (true) {
      const auto patience = std::chrono::ceil<Millis>(std::min(next_look, next_reload) - clock_.now().mono);
      const int number = wait_for_signal(signals, std::max(patience, Millis{0}));
      if (failed_) return kBug;
      if (number == SIGHUP) static_cast<void>(reload_if_changed(Millis{0}));  // see log and gauge
      if (number == SIGTERM || number == SIGINT) return 0;
      const MonoTime now = clock_.now().mono;
      if (now >= next_reload) {
        static_cast<void>(reload_if_changed(Millis::max()));
        next_reload = now + *options_.auto_reload;
      }
      if (now < next_look) continue;
      next_look = now + look;
      if (!server_->healthy()) {
        tell(EventType::internal_error,
             {{"detail", std::string{"a listener ended and could not be brought back"}}});
        return kStartFailure;
      }
      look_at_progress(turns, watchdog.has_value());
    }
  }

  /// The watchdog is fed by progress only: the loop was woken half a period ago.
  void look_at_progress(std::uint64_t& turns, bool watchdog) {
    const std::uint64_t now = engine_->turns();
    if (std::exchange(turns, now) != now) {
      release_free_heap();  // a loop that rested has nothing to give back
      if (watchdog) SystemdNotifier::watchdog();
      if (told_images_ != watched_images()) SystemdNotifier::status(status_line());
    }
    if (machine_sleep_.ended() || watchdog) engine_->wake();
  }

  void stop() {
    tell(EventType::stopping, {});
    SystemdNotifier::stopping();
    stopping_ = true;
    const sigset_t signals = signal_set({SIGTERM, SIGINT});  // whoever is in a hurry may say so again
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    const std::scoped_lock no_reload(reload_mutex_);
    engine_->stop();
    server_->stop(kDrain);
    tell(EventType::stopped, {});
    store_->close();
  }

  /// An event of the daemon itself. Those of an image are stored with its record, by StepPublisher.
  void tell(EventType type, std::vector<Field> fields) {
    const Event event{type, clock_.wall(), "", std::move(fields)};
    logger_.on_event(event);
    store_->add_event(event);
  }

  std::vector<Field> started_fields() const {
    return {{"version", std::string{program_version()}},
            {"revision", std::string{program_revision()}},
            {"config", config_.in_force()->sha256.substr(0, 12)},
            {"images", watched_images()},
            {"state", store_->path()}};
  }
  [[nodiscard]] std::string status_line() {
    told_images_ = watched_images();
    return "watching " + std::to_string(told_images_) + " images";
  }

  const Options options_;
  SystemClock clock_;
  MachineSleep machine_sleep_;
  SystemRandom random_;
  Logger logger_;
  std::unique_ptr<StateDb> store_;
  ViewStore views_;
  SelfMetrics metrics_{{program_version(), program_revision(), options_.shard_index, options_.shard_count},
                       {[this] { return logger_.counts(); }, [] { return read_process_stats(); },
                        [this] {
                          return StateHealth{store_->ok(), store_->last_write()};
                        }}};
  CredentialNews credential_news_{metrics_, std::bind_front(&App::tell, this)};
  RefusalNews refusal_news_{metrics_, clock_, std::bind_front(&App::tell, this)};
  Exposition exposition_{views_, &metrics_};
  Surface surface_{views_, metrics_, shard()};
  CurlTransport transport_;
  TimerQueue timers_;
  std::atomic<std::int64_t> told_images_{0};  ///< to systemd
  std::atomic<bool> failed_{false};
  std::atomic<bool> stopping_{false};
  CurrentConfig config_{options_};
  std::mutex reload_mutex_;                                           ///< held by whoever reads the files
  std::pair<MonoTime, Result<Unit, std::string>> tried_{{}, Unit{}};  ///< guarded by it
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<WebSecurity> door_;  ///< null: no web config
  std::unique_ptr<WebRoutes> routes_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace

int run_daemon(const Options& options) {
  return App(options).run();
}

}  // namespace sharedrift
