#pragma once

#include "app/cli_values.hpp"
#include "core/event.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "log/log_record.hpp"
#include "wire/url.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sharedrift {

enum class Command { run, check, doctor, lint, baseline, plan, history };
enum class OutputFormat { table, json, sarif, prometheus, logfmt };

/// What the command line said, checked as far as it can be without touching the world.
struct Options {
  Command command = Command::run;
  std::vector<std::string> config_files;  ///< one at least; a directory stands for the *.yml in it
  bool config_given = false;              ///< or it is the default
  bool trust_file_mode = false;           ///< run: take a configuration that others can write
  std::optional<Millis> auto_reload;      ///< run: how often is looked whether the configuration has changed
  bool config_check = false;              ///< run: validate and end
  std::vector<ListenAddress> listen_addresses = default_listen_addresses();
  std::string telemetry_path = "/metrics";
  std::optional<Url> external_url;  ///< a name that leads here
  std::string route_prefix;         ///< what all paths begin with; empty, or with a `/` at its begin alone
  std::string web_config_file;      ///< run, lint; empty: plain HTTP, no authentication
  bool systemd_socket = false;
  bool enable_lifecycle = false;
  int max_requests = 40;     ///< answers made at a time; 0: no limit but the server's workers
  std::string storage_path;  ///< empty: $STATE_DIRECTORY/state.db, else the default
  int shard_index = 0;
  int shard_count = 1;
  Level log_level = Level::info;
  LogFormat log_format = LogFormat::logfmt;
  OutputFormat format = OutputFormat::table;  ///< check, history
  std::vector<ImageId> images;                ///< check, baseline, plan: only these; history: one at most
  bool all = false;                           ///< baseline: every image that the account owns
  bool no_files = false;                      ///< lint: the configuration is for another machine
  bool online = false;                        ///< lint: also poll once
  int limit = 1000;                           ///< history: the newest that many; 0: all
  std::variant<std::monostate, WallTime, Millis> since;  ///< history: a moment, or how long ago
  std::string profile;                                   ///< doctor: which one; empty: the only one
  std::string report_file;                               ///< doctor: where the report goes; empty: none
};

/// `config_files` for a sentence.
std::string config_name(const Options& options);

/// The command line needs no run: print `text` (help, version: to standard output, 0; usage: to standard
/// error, 2).
struct CliExit {
  int code = 0;
  std::string text;
};

/// Parses the arguments after the program's name. Everything wrong with them is a CliExit with code 2 whose
/// text names the flag and the remedy. `hostname` serves `--shard.index=auto` (the number behind its last
/// hyphen, as in a StatefulSet).
Result<Options, CliExit> parse_command_line(const std::vector<std::string>& arguments,
                                            const std::string& hostname);

}  // namespace sharedrift
