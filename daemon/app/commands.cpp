#include "app/app.hpp"
#include "app/config_references.hpp"
#include "app/ens_sources.hpp"
#include "app/lint_polled.hpp"
#include "app/news.hpp"
#include "app/one_shot.hpp"
#include "app/output.hpp"
#include "app/report.hpp"
#include "app/version.hpp"
#include "config/config_files.hpp"
#include "config/config_lint.hpp"
#include "config/config_loader.hpp"
#include "core/text.hpp"
#include "http_client/curl_transport.hpp"
#include "http_client/proxy_environment.hpp"
#include "metrics/self_metrics.hpp"
#include "metrics/view_store.hpp"
#include "os/process.hpp"
#include "os/system_clock.hpp"
#include "os/system_random.hpp"
#include "store/state_file.hpp"
#include "web/web_security.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <thread>

#include <prometheus/text_serializer.h>
#include <unistd.h>

namespace sharedrift {

namespace {

constexpr int kBadUsage = 2;
constexpr int kCouldNotTell = 3;

/// A line that rewrites itself, on a terminal only and not before it takes long.
class Progress {
 public:
  void operator()(std::size_t done, std::size_t all) {
    if (!on_terminal_ || std::chrono::steady_clock::now() - began_ < std::chrono::seconds{1}) return;
    std::fprintf(stderr, "\r%zu of %zu images", done, all);
    shown_ = true;
    if (done == all) clear();
  }
  void clear() {
    if (shown_) std::fputs("\r\033[K", stderr);
    shown_ = false;
  }

 private:
  bool on_terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool shown_ = false;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

struct Polled {
  ReportInput report;
  WalkedOnce walked;
  Endpoints endpoints;
};

struct Loaded {
  Config config;
  std::vector<ConfigFile> files;
  std::string warnings;  ///< files that others can write; what is named and does not last
};

/// Has every owned image watched: what no rule of the configuration fits, by one that allows nobody.
void discover_all(Config& config) {
  ImagePolicy nobody{*ImageId::parse("discovered")};
  nobody.interval = config.poll.interval;
  config.discover.push_back({"", "", std::move(nobody)});
}

Result<Loaded, std::string> load(const Options& options) {
  const bool needs_none = options.all || options.command == Command::doctor;
  const auto watching = needs_none ? Watching::anything : Watching::something;
  if (options.all && !options.config_given && !std::filesystem::exists(options.config_files.front())) {
    auto config = parse_config({{"none", "profiles: {default: {}}\n"}}, watching);
    discover_all(*config);
    return Loaded{std::move(*config), {{"none", ""}}, ""};
  }
  auto read = read_config_files(options.config_files);
  if (!read) return Err(to_lines(read.error()));
  auto config = parse_config(read->files, watching);
  if (!config) return Err(to_lines(config.error()));
  if (options.all && !config->inventory.enabled)
    return Err(std::string{"--all needs the inventory, which is off"});
  if (options.all) discover_all(*config);
  const LintReport references = check_references(*config, read->files, SystemClock().wall());
  if (!references.errors.empty()) return Err(to_lines(references.errors));
  return Loaded{std::move(*config), std::move(read->files),
                to_lines(read->untrusted) + to_lines(references.warnings)};
}

/// The file that names each image.
std::map<ImageId, std::string> files_of_images(const Config& config) {
  std::map<ImageId, std::string> files;
  auto image = config.images.begin();
  for (const ConfigPart& part : config.files) {
    for (std::size_t i = 0; i < part.images; ++i, ++image)
      files.emplace((*image)->id, part.file);
  }
  return files;
}

/// What the environment says about proxies and nobody obeys, which explains a name that cannot be resolved.
void warn_of_unused_proxies(const Config& config) {
  for (const ProfileConfig& profile : config.profiles) {
    const auto endpoint = parse_url(profile.endpoint);
    if (!endpoint || profile.proxy_from_environment || !profile.proxy_url.empty()) continue;
    const auto found = environment_proxy(*endpoint, process_variable);
    if (found && found->variable.empty()) continue;
    std::fprintf(
        stderr,
        "share-drift-exporter: warning: profile %s: %s and is not used: set proxy_from_environment: true, or "
        "proxy_url\n",
        profile.name.c_str(), (found ? found->variable + " is set" : found.error()).c_str());
  }
}

/// A signal ends the poll early; what was not read stays unknown.
class StopOnSignal {
 public:
  StopOnSignal() : waiter_([this](const std::stop_token& stop) { wait(stop); }) {}
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  void wait(const std::stop_token& stop) {
    const sigset_t signals = signal_set({SIGTERM, SIGINT, SIGHUP});
    constexpr Millis kLook{200};
    while (!stop.stop_requested()) {
      if (wait_for_signal(signals, kLook) > 0) source_.request_stop();
    }
  }
  std::stop_source source_;
  std::jthread waiter_;
};

/// What the walk means for the report of the command.
void tell_of_inventories(const Options& options, const Config& config, Polled& polled) {
  WalkedOnce& walked = polled.walked;
  if (options.command == Command::lint) return;       // it says so itself
  if (config.discover.empty()) walked.blind.clear();  // nothing hangs on images that are not configured
  const auto doubted = doubts(walked, config);
  const bool all = options.images.empty();
  if (all) {
    polled.report.inventories = walked.shown;
    polled.report.doubts = doubted;
    polled.report.hides_images =
        std::any_of(walked.blind.begin(), walked.blind.end(),
                    [&config](const auto& blind) { return discovers(config, blind.first); });
  }
  const bool in_report = options.command == Command::plan || options.command == Command::check;
  if (in_report && all && options.format != OutputFormat::prometheus) return;
  for (const std::string& why : doubted)
    std::fprintf(stderr, "share-drift-exporter: warning: %s\n", why.c_str());
}

Result<Polled, std::string> poll(const Options& options, const Config& config) {
  warn_of_unused_proxies(config);
  SystemClock clock;
  SystemRandom random;
  CurlTransport transport;
  TimerQueue timers;
  ApiObserver nobody;  // nobody scrapes a single poll
  CredentialNews observer(nobody, [&clock](EventType type, std::vector<Field> fields) {
    if (spec(type).level < Level::warn) return;
    const std::string message = message_of({type, clock.wall(), "", std::move(fields)});
    std::fprintf(stderr, "share-drift-exporter: warning: %s\n", message.c_str());
  });
  const auto sources = make_ens_sources(
      config, nullptr, {clock, random, transport, timers, observer, [&transport] { transport.wake(); }});
  Progress progress;
  const StopOnSignal stop;
  const OneShotPorts ports{config, clock, random, transport, timers, sources->lanes(), std::ref(progress)};
  Polled polled;
  WalkedOnce& walked = polled.walked;
  const bool counts = options.command == Command::check && options.images.empty();  // what nobody watches
  if (!config.discover.empty() || counts || options.command == Command::lint ||
      options.command == Command::baseline)
    walked = walk_once(ports, stop.token());
  tell_of_inventories(options, config, polled);
  const Shard shard{options.shard_index, options.shard_count};
  SD_TRY(watch, selected(watch_list(config, shard, walked.discovered), options.images));
  polled.report.views = poll_once(std::move(watch), ports, stop.token(), walked.inventories);
  progress.clear();
  polled.report.meant = meant_images(polled.report.views, walked.inventories, config);
  polled.report.account_names = config.account_names;
  polled.report.config_file = config_name(options);
  if (config.files.size() > 1) polled.report.image_files = files_of_images(config);
  polled.report.now = clock.wall();
  polled.endpoints = endpoints_of(config);
  return polled;
}

/// The images' families and the version, for the textfile collector: the alert rules know an exporter by it.
std::string report_prometheus(const ReportInput& input) {
  ViewStore views;
  views.set_account_names(input.account_names);
  for (const auto& view : input.views)
    views.publish(view);
  auto families = views.Collect();
  SelfMetrics own({program_version(), program_revision(), 0, 1}, {});
  std::vector<SelfMetrics::Profile> profiles;
  for (const auto& [profile, inventory] : input.inventories)
    profiles.push_back({profile, 0, kNeverStale});
  own.set_profiles(profiles);
  for (const auto& [profile, inventory] : input.inventories)
    own.on_inventory(profile, inventory);
  for (auto& family : own.Collect()) {
    if (family.name == "share_drift_build_info" || family.name == "share_drift_inventory_complete" ||
        family.name.find("_inventory_unwatched_") != std::string::npos)
      families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

/// What to do about the worst; empty where nothing is to be done.
std::string next_step(const ReportInput& input) {
  const Verdict worst = count_verdicts(input).worst();
  if (worst == Verdict::in_sync) return "";
  return worst == Verdict::unknown
             ? "\nNext: share-drift-exporter doctor, which says what is in the way.\n"
             : "\nNext: share-drift-exporter plan, which prints the calls that would end the drift.\n";
}

int check(const Options& options, const Polled& polled) {
  switch (options.format) {
    case OutputFormat::table: print(report_table(polled.report) + next_step(polled.report)); break;
    case OutputFormat::json: print(report_json(polled.report)); break;
    case OutputFormat::sarif: print(report_sarif(polled.report)); break;
    default: print(report_prometheus(polled.report)); break;
  }
  return exit_code(count_verdicts(polled.report).worst());
}

/// A baseline that lacks something says so in its first line: it looks whole to whoever adopts it.
int baseline(const Options& options, const Polled& polled, const Loaded& loaded) {
  std::vector<std::string> lacks = doubts(polled.walked, loaded.config);
  const auto& views = polled.report.views;
  const auto unread = static_cast<std::size_t>(
      std::count_if(views.begin(), views.end(), [](const auto& view) { return !view->listing_complete; }));
  if (unread > 0) {
    lacks.push_back(std::to_string(unread) + " of " + std::to_string(views.size()) +
                    " images could not be read whole, see below");
  }
  std::string head;
  for (const std::string& why : lacks)
    head += (head.empty() ? "# INCOMPLETE: " : "; ") + clean(why, why.size());
  print((head.empty() ? head : head + "\n") +
        (options.all ? report_whole_baseline(polled.report, loaded.files, loaded.config)
                     : report_baseline(polled.report, loaded.files)));
  return lacks.empty() ? 0 : kCouldNotTell;
}

int lint_online(const Options& options) {
  const auto loaded = load(options);
  if (!loaded) return refuse(loaded.error());
  const auto polled = poll(options, loaded->config);
  if (!polled) return refuse(polled.error());
  const std::vector<Diagnostic> found =
      lint_polled(polled->report.views, polled->walked, loaded->config, loaded->files, polled->report.now);
  print(to_lines(found));
  return found.empty() ? 0 : 1;
}

void append(std::vector<Diagnostic>& to, const std::vector<Diagnostic>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// Adds what a configuration that was taken names: on this machine, without the network.
void lint_references(const Options& options, const Config& config, const std::vector<ConfigFile>& files,
                     LintReport& report) {
  SystemClock clock;
  SystemRandom random;
  const LintReport references = check_references(config, files, clock.wall());
  append(report.errors, references.errors);
  append(report.warnings, references.warnings);
  const CredentialReport credentials = check_credential_references(config, files, clock, random);
  append(report.warnings, credentials.named);
  std::fputs(to_lines(credentials.around).c_str(), stderr);  // the daemon's environment is another one
  if (!options.online) warn_of_unused_proxies(config);
}

void lint_web_config(const std::string& file, LintReport& report) {
  SystemClock clock;
  const auto door = WebSecurity::open(file, clock, nullptr);
  if (!door) return append(report.errors, door.error());
  append(report.warnings, check_web_references(file, clock.wall()));
}

int lint(const Options& options) {
  LintReport report = lint_config_files(options.config_files, SystemClock().wall());
  if (report.errors.empty() && !options.no_files) {
    const auto files = read_config_files(options.config_files);
    const auto config = files ? parse_config(files->files) : Err(files.error());
    if (config) lint_references(options, *config, files->files, report);
  }
  if (!options.web_config_file.empty()) lint_web_config(options.web_config_file, report);
  if (!options.no_files) append(report.warnings, check_state_folder(state_path(options.storage_path)));
  print(to_lines(report.errors) + to_lines(report.warnings));
  if (!report.errors.empty()) return kBadUsage;
  const int offline = report.warnings.empty() ? 0 : 1;
  return options.online ? std::max(offline, lint_online(options)) : offline;
}

}  // namespace

int run_command(const Options& options) {
  if (options.command == Command::lint) return lint(options);
  if (options.command == Command::history) return history(options);
  const auto loaded = load(options);
  if (!loaded) return refuse(loaded.error());
  std::fputs(loaded->warnings.c_str(), stderr);
  if (options.command == Command::doctor) return doctor(options, loaded->config, StopOnSignal().token());
  const auto polled = poll(options, loaded->config);
  if (!polled) return refuse(polled.error());
  switch (options.command) {
    case Command::baseline: return baseline(options, *polled, *loaded);
    case Command::plan:
      print(report_plan(polled->report, polled->endpoints));
      return exit_code(count_verdicts(polled->report).worst());
    default: return check(options, *polled);
  }
}

}  // namespace sharedrift
