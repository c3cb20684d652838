#include "app/cli.hpp"

#include "app/version.hpp"
#include "config/yaml_reader.hpp"
#include "core/enumerators.hpp"
#include "core/text.hpp"

#include <CLI/CLI.hpp>

namespace sharedrift {

namespace {

constexpr int kUsage = 2;
constexpr const char* kConfigFile = "/etc/share-drift-exporter/config.yml";

constexpr Millis kShortestAutoReload = std::chrono::seconds{1};
constexpr Millis kLongestAutoReload = std::chrono::hours{24};

/// What CLI11 writes into before it is checked and becomes Options.
struct Raw {
  Options options;
  std::vector<std::string> images;
  std::vector<std::string> listen_addresses;
  std::string external_url;
  std::optional<std::string> route_prefix;
  bool auto_reload = false;
  std::string auto_reload_interval = "30s";
  std::string shard_index = "0";
  std::string since;
};

/// One word of an enumeration, of which only `words` are taken; they are its type in the help.
template <auto last>
void add_choice(CLI::App& app, const std::string& name, decltype(last)& value, const std::string& description,
                const std::vector<std::string>& words) {
  const auto take = [&value](const std::string& word) { value = *parse_enumerator<last>(word); };
  app.add_option_function<std::string>(name, take, description)
      ->check(CLI::IsMember(words).description(""))
      ->type_name(CLI::detail::join(words, "|"))
      ->default_str(std::string(enumerator_name<last>(value)));
}

CLI::Option* add_number(CLI::App& app, const std::string& name, int& value, const std::string& description,
                        const CLI::Range& range) {
  return app.add_option(name, value, description)
      ->check(CLI::Range(range).description(""))
      ->type_name("N")
      ->capture_default_str();
}

void add_common_flags(CLI::App& app, Raw& raw) {
  app.add_option("--config.file", raw.options.config_files, "or more")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->default_str(kConfigFile);
  add_choice<Level::error>(app, "--log.level", raw.options.log_level, "least level logged",
                           {"debug", "info", "warn", "error"});
  add_choice<LogFormat::json>(app, "--log.format", raw.options.log_format, "form of a log line",
                              {"logfmt", "json"});
}

void add_storage_flag(CLI::App& app, Raw& raw) {
  app.add_option("--storage.path", raw.options.storage_path, "state database (default: in $STATE_DIRECTORY)")
      ->type_name("FILE");
}

void add_run_flags(CLI::App& app, Raw& raw) {
  Options& options = raw.options;
  add_common_flags(app, raw);
  app.add_flag("--config.check", options.config_check, "say whether the configuration is good, and end");
  app.add_flag("--config.trust-file-mode", options.trust_file_mode,
               "take a configuration that others can write");
  app.add_flag("--config.enable-auto-reload", raw.auto_reload, "reload when the configuration has changed");
  app.add_option("--config.auto-reload-interval", raw.auto_reload_interval, "how often to look")
      ->type_name("DURATION")
      ->capture_default_str();
  app.add_option("--web.listen-address", raw.listen_addresses, "repeatable (default: loopback, 10191)")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  app.add_option("--web.telemetry-path", options.telemetry_path, "where the metrics are")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--web.external-url", raw.external_url, "where others find this, through a proxy")
      ->type_name("URL");
  app.add_option("--web.route-prefix", raw.route_prefix, "of all paths (default: external URL's path)")
      ->type_name("PATH");
  app.add_option("--web.config.file", options.web_config_file, "TLS, users, headers (as exporter-toolkit)")
      ->type_name("FILE");
  app.add_flag("--web.systemd-socket", options.systemd_socket, "take the listening sockets from systemd");
  app.add_flag("--web.enable-lifecycle", options.enable_lifecycle,
               "allow POST /-/reload and POST /-/poll?image=ID");
  add_number(app, "--web.max-requests", options.max_requests, "answers made at a time, 0: no limit",
             CLI::Range(0, 10'000));
  add_storage_flag(app, raw);
  app.add_option("--shard.index", raw.shard_index, "from 0; auto: by the host name's end")
      ->type_name("N|auto")
      ->capture_default_str();
  add_number(app, "--shard.count", options.shard_count, "number of shards", CLI::Range(1, 10'000));
}

void add_image_flag(CLI::App& app, Raw& raw) {
  app.add_option("--image", raw.images, "only this image, repeatable")
      ->type_name("ID")
      ->allow_extra_args(true);
}

/// Named as the enumerators of Command.
void add_commands(CLI::App& app, Raw& raw) {
  add_run_flags(*app.add_subcommand("run", "The daemon: polls, and serves what it knows."), raw);
  auto* check = app.add_subcommand(
      "check", "Polls once. Exit: 0 in sync, 1 drift, 2 usage or config, 3 could not tell.");
  add_common_flags(*check, raw);
  add_image_flag(*check, raw);
  add_choice<OutputFormat::logfmt>(*check, "--format", raw.options.format, "form of the report",
                                   {"table", "json", "sarif", "prometheus"});
  auto* doctor = app.add_subcommand("doctor",
                                    "Meets the API once, read-only, and says which assumptions hold.\n"
                                    "Exit: 0 all, 1 copes with the rest, 2 usage or config, 3 blind.");
  add_common_flags(*doctor, raw);
  doctor->add_option("--image", raw.images, "the image to ask about")->type_name("ID")->expected(1);
  doctor->add_option("--profile", raw.options.profile, "the profile, where there are several")
      ->type_name("NAME");
  doctor->add_option("--report", raw.options.report_file, "also write JSON without secrets and ids")
      ->type_name("FILE");
  auto* lint =
      app.add_subcommand("lint", "Checks the configuration closely. Exit: 0 clean, 1 warnings, 2 errors.");
  add_common_flags(*lint, raw);
  lint->add_option("--web.config.file", raw.options.web_config_file, "also what run would be given as such")
      ->type_name("FILE");
  add_storage_flag(*lint, raw);
  lint->add_flag("--no-files", raw.options.no_files, "named files are another machine's: look at none");
  lint->add_flag("--online", raw.options.online, "also poll, and name entries without match");
  auto* baseline =
      app.add_subcommand("baseline", "Polls once and prints what is shared now as YAML, for review.");
  add_common_flags(*baseline, raw);
  add_image_flag(*baseline, raw);
  baseline->add_flag("--all", raw.options.all, "every owned image, as a whole configuration");
  auto* plan =
      app.add_subcommand("plan", "Polls once and prints, never runs, the calls that would end the drift.");
  add_common_flags(*plan, raw);
  add_image_flag(*plan, raw);
  auto* history = app.add_subcommand("history", "Prints the recorded events, oldest first.");
  add_storage_flag(*history, raw);
  add_choice<OutputFormat::logfmt>(*history, "--format", raw.options.format, "form of the events",
                                   {"table", "json", "logfmt"});
  history->add_option("--since", raw.since, "2026-11-24, 2026-11-24T09:20:44Z or 12h")->type_name("TIME");
  add_number(*history, "--limit", raw.options.limit, "the newest N events, 0: all", CLI::Range(0, 1'000'000));
  history->add_option("image", raw.images, "only this image")->expected(0, 1);
}

/// The flags, one a line of at most 80 columns. Shell completion and the test of the manual read these lines.
std::string flag_lines(const CLI::App& app) {
  constexpr std::size_t kColumn = 32;
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional()) continue;
    std::string line = "  " + option->get_name(false, true);
    if (option->get_items_expected_max() > 0) line += " " + option->get_type_name();
    line += line.size() + 2 > kColumn ? "  " : std::string(kColumn - line.size(), ' ');
    line += option->get_description();
    if (!option->get_default_str().empty()) line += " (" + option->get_default_str() + ")";
    out += line + "\n";
  }
  return out;
}

CliExit usage(const std::string& message) {
  return {kUsage, "share-drift-exporter: " + message + "\nTry share-drift-exporter --help.\n"};
}

/// Of a flag that there is not, only the name: people try to pass secrets this way.
CliExit unexpected_argument(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining(true);
  const std::string argument = extras.empty() ? "" : extras.front();
  const std::string name = argument.substr(0, argument.find('='));
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  std::vector<std::string> known;
  if (name.starts_with('-')) {
    for (const CLI::Option* option : (parsed.empty() ? app : *parsed.front()).get_options())
      known.push_back(option->get_name());
  } else if (parsed.empty()) {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(command->get_name());
  }
  const std::string hint = did_you_mean(name, {known.begin(), known.end()});
  return usage("The following argument was not expected: " + clean(name) + (hint.empty() ? "" : "; " + hint));
}

/// 80 columns wide.
std::string help(const CLI::App& app) {
  return app.get_description() +
         "\nUsage: share-drift-exporter [COMMAND] [FLAGS]        (COMMAND --help says more)\n"
         "  run       the daemon (default)      baseline  what is shared now, as YAML\n"
         "  check     poll once and judge       plan      the calls that end drift\n"
         "  lint      check the configuration   history   the recorded events\n"
         "  doctor    meet the API, and say which assumptions hold\n"
         "Flags of run:\n" +
         flag_lines(app);
}

std::string help_of_command(const CLI::App& command) {
  const std::string positional = command.get_name() == "history" ? " [IMAGE]" : "";
  return command.get_description() + "\nUsage: share-drift-exporter " + command.get_name() + positional +
         " [FLAGS]\n" + flag_lines(command);
}

Result<Options, CliExit> checked(Raw raw, const std::string& hostname) {
  Options& options = raw.options;
  const auto auto_reload = parse_duration(raw.auto_reload_interval);
  if (!auto_reload || *auto_reload < kShortestAutoReload || *auto_reload > kLongestAutoReload)
    return Err(usage("--config.auto-reload-interval must be a duration from 1s to 1d, such as 30s"));
  if (raw.auto_reload) options.auto_reload = *auto_reload;
  options.config_given = !options.config_files.empty();
  if (options.all && !raw.images.empty()) return Err(usage("--all and --image exclude each other"));
  if (!options.config_given) options.config_files = {kConfigFile};
  if (!is_path_of_its_own(options.telemetry_path))
    return Err(usage("--web.telemetry-path must begin with / and be a path of its own, such as /metrics"));
  auto address_outside = parse_outside_address(raw.external_url, raw.route_prefix);
  if (!address_outside) return Err(usage(address_outside.error()));
  options.external_url = std::move(address_outside->url);
  options.route_prefix = std::move(address_outside->prefix);
  if (!raw.listen_addresses.empty()) options.listen_addresses.clear();
  for (const std::string& text : raw.listen_addresses) {
    auto address = parse_listen_address(text);
    if (!address) return Err(usage(address.error()));
    options.listen_addresses.push_back(std::move(*address));
  }
  for (const std::string& text : raw.images) {
    auto image = ImageId::parse(text);
    if (!image)
      return Err(usage("\"" + text + "\" is not an image id (letters, digits, ., _ and -; at most 128)"));
    options.images.push_back(std::move(*image));
  }
  const auto since = parse_since(raw.since);
  if (!since) return Err(usage(since.error()));
  options.since = *since;
  const auto shard = parse_shard(raw.shard_index, hostname, options.shard_count);
  if (!shard) return Err(usage(shard.error()));
  options.shard_index = *shard;
  return std::move(options);
}

}  // namespace

std::string config_name(const Options& options) {
  return CLI::detail::join(options.config_files, ", ");
}

Result<Options, CliExit> parse_command_line(const std::vector<std::string>& arguments,
                                            const std::string& hostname) {
  Raw raw;
  CLI::App app{"Watches with whom Alibaba Cloud ENS images are shared, and proves what it says.",
               "share-drift-exporter"};
  app.set_version_flag(
      "--version", std::string{"share-drift-exporter "} + program_version() + " (" + program_revision() + ")",
      "version and revision");
  app.set_help_flag("-h,--help", "this text");  // commands inherit it
  app.require_subcommand(0, 1);
  add_run_flags(app, raw);  // `run` may be left out
  add_commands(app, raw);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // CLI11 takes them from the back
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    const auto parsed = app.get_subcommands();
    return Err(CliExit{0, parsed.empty() ? help(app) : help_of_command(*parsed.front())});
  } catch (const CLI::CallForVersion& version) {
    return Err(CliExit{0, std::string{version.what()} + "\n"});
  } catch (const CLI::ExtrasError&) {
    return Err(unexpected_argument(app));
  } catch (const CLI::ParseError& error) {
    return Err(usage(error.what()));
  }
  for (const CLI::App* command : app.get_subcommands())
    raw.options.command = *parse_enumerator<Command::history>(command->get_name());
  return checked(std::move(raw), hostname);
}

}  // namespace sharedrift
