#include "app/cli.hpp"

#include "app/version.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>

namespace sharedrift {

namespace {

constexpr int kUsage = 2;

/// What CLI11 writes into before it is checked and becomes Options.
struct Raw {
  Options options;
  std::vector<std::string> images;
  std::string shard_index = "0";
  std::string log_level = "info";
  std::string log_format = "logfmt";
  std::string format = "table";
};

void add_common_flags(CLI::App& app, Raw& raw) {
  app.add_option("--config.file", raw.options.config_file, "Configuration file")->capture_default_str();
  app.add_option("--log.level", raw.log_level, "Least level that is logged: debug, info, warn, error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_option("--log.format", raw.log_format, "logfmt or json")
      ->check(CLI::IsMember({"logfmt", "json"}))
      ->capture_default_str();
}

void add_storage_flag(CLI::App& app, Raw& raw) {
  app.add_option(
      "--storage.path", raw.options.storage_path,
      "State database (default: $STATE_DIRECTORY/state.db, else /var/lib/share-drift-exporter/state.db)");
}

void add_run_flags(CLI::App& app, Raw& raw) {
  Options& options = raw.options;
  add_common_flags(app, raw);
  app.add_flag("--config.check", options.config_check, "Check the configuration and end");
  app.add_option("--web.listen-address", options.listen_addresses,
                 "Address to serve on, repeatable (default: 127.0.0.1:10191 and [::1]:10191)")
      ->allow_extra_args(false);
  app.add_option("--web.telemetry-path", options.telemetry_path, "Path of the metrics")
      ->capture_default_str();
  app.add_option("--web.config.file", options.web_config_file, "TLS and users, as exporter-toolkit has them");
  app.add_flag("--web.systemd-socket", options.systemd_socket, "Take the listening sockets from systemd");
  app.add_flag("--web.enable-lifecycle", options.enable_lifecycle, "Allow POST /-/reload");
  app.add_option("--web.max-requests", options.max_requests, "Scrapes served at a time, 0 = no limit")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  add_storage_flag(app, raw);
  app.add_option("--shard.index", raw.shard_index,
                 "This shard's number from 0, or auto: the number that ends the host's name")
      ->capture_default_str();
  app.add_option("--shard.count", options.shard_count, "Number of shards")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
}

void add_image_flag(CLI::App& app, Raw& raw) {
  app.add_option("--image", raw.images, "Only this image, repeatable")->allow_extra_args(true);
}

std::map<Command, CLI::App*> add_commands(CLI::App& app, Raw& raw) {
  std::map<Command, CLI::App*> commands;
  commands[Command::run] = app.add_subcommand("run", "The daemon (default)");
  add_run_flags(*commands[Command::run], raw);
  auto* check = commands[Command::check] = app.add_subcommand(
      "check", "Poll once and print; exit 0 in sync, 1 drift, 2 usage or config, 3 could not tell");
  add_common_flags(*check, raw);
  add_image_flag(*check, raw);
  check->add_option("--format", raw.format, "table, json, sarif or prometheus")
      ->check(CLI::IsMember({"table", "json", "sarif", "prometheus"}))
      ->capture_default_str();
  auto* lint = commands[Command::lint] =
      app.add_subcommand("lint", "Check the configuration closely; exit 0 clean, 1 warnings, 2 errors");
  add_common_flags(*lint, raw);
  lint->add_flag("--online", raw.options.online, "Also poll once and name entries that match nothing");
  auto* baseline = commands[Command::baseline] =
      app.add_subcommand("baseline", "Poll once and print what is shared now, as YAML");
  add_common_flags(*baseline, raw);
  add_image_flag(*baseline, raw);
  auto* plan = commands[Command::plan] =
      app.add_subcommand("plan", "Poll once and print, never run, the calls that would end the drift");
  add_common_flags(*plan, raw);
  add_image_flag(*plan, raw);
  auto* history = commands[Command::history] = app.add_subcommand("history", "Print the recorded events");
  add_common_flags(*history, raw);
  add_storage_flag(*history, raw);
  history->add_option("image", raw.images, "Only this image")->expected(0, 1);
  return commands;
}

CliExit usage(const std::string& message) {
  return {kUsage, "share-drift-exporter: " + message + "\nTry share-drift-exporter --help.\n"};
}

Result<int, CliExit> parse_shard(const std::string& text, const std::string& hostname, int count) {
  std::string digits = text;
  if (text == "auto") {
    const std::size_t last = hostname.find_last_not_of("0123456789");
    digits = last == std::string::npos ? hostname : hostname.substr(last + 1);
    if (digits.empty()) {
      return Err(
          usage("--shard.index=auto needs a host name that ends in a number; this one is " + hostname));
    }
  }
  int index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc{} || end != digits.data() + digits.size() || index < 0) {
    return Err(usage("--shard.index: \"" + text + "\" is neither a number from 0 nor auto"));
  }
  if (index >= count) {
    return Err(usage("--shard.index " + std::to_string(index) + " must be less than --shard.count " +
                     std::to_string(count)));
  }
  return index;
}

Result<Options, CliExit> checked(Raw raw, const std::string& hostname) {
  Options& options = raw.options;
  const std::map<std::string, Level> levels{
      {"debug", Level::debug}, {"info", Level::info}, {"warn", Level::warn}, {"error", Level::error}};
  const std::map<std::string, OutputFormat> formats{{"table", OutputFormat::table},
                                                    {"json", OutputFormat::json},
                                                    {"sarif", OutputFormat::sarif},
                                                    {"prometheus", OutputFormat::prometheus}};
  options.log_level = levels.at(raw.log_level);
  options.log_format = raw.log_format == "json" ? LogFormat::json : LogFormat::logfmt;
  options.format = formats.at(raw.format);
  if (options.telemetry_path.size() < 2 || options.telemetry_path.front() != '/') {
    return Err(usage("--web.telemetry-path must begin with / and name a path of its own, e.g. /metrics"));
  }
  for (const std::string& text : raw.images) {
    auto image = ImageId::parse(text);
    if (!image)
      return Err(usage("\"" + text + "\" is not an image id (letters, digits, ., _ and -; at most 128)"));
    options.images.push_back(std::move(*image));
  }
  SD_TRY(shard, parse_shard(raw.shard_index, hostname, options.shard_count));
  options.shard_index = shard;
  return std::move(options);
}

}  // namespace

Result<Options, CliExit> parse_command_line(const std::vector<std::string>& arguments,
                                            const std::string& hostname) {
  Raw raw;
  CLI::App app{"Watches with whom Alibaba Cloud ENS images are shared, and proves what it says.",
               "share-drift-exporter"};
  app.set_version_flag("--version", std::string{"share-drift-exporter "} + kVersion + " (" + kRevision + ")");
  app.require_subcommand(0, 1);
  add_run_flags(app, raw);  // `run` may be left out
  const std::map<Command, CLI::App*> commands = add_commands(app, raw);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // CLI11 takes them from the back
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    const auto parsed = app.get_subcommands();
    return Err(CliExit{0, parsed.empty() ? app.help() : parsed.front()->help()});
  } catch (const CLI::CallForVersion& version) {
    return Err(CliExit{0, std::string{version.what()} + "\n"});
  } catch (const CLI::ParseError& error) {
    return Err(usage(error.what()));
  }
  for (const auto& [command, subcommand] : commands) {
    if (subcommand->parsed()) raw.options.command = command;
  }
  return checked(std::move(raw), hostname);
}

}  // namespace sharedrift
