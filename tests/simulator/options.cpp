#include "simulator/options.hpp"

#include "core/text.hpp"
#include "simulator/load.hpp"
#include "wire/url.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include <CLI/CLI.hpp>

namespace sharedrift::simulator {

namespace {

using nlohmann::json;

// Openly fake, so that a first try needs no flags.
constexpr const char* kDefaultKeyId = "simulator";
constexpr const char* kDefaultSecret = "simulator-secret";

struct Flags {
  Options options;
  std::string scenario_file;
  std::string behaviour_file;
  std::string key_id;
  std::string secret_file;
  int images = 0;
  int accounts = 0;
  int latency_ms = 0;
};

void declare(CLI::App& app, Flags& flags) {
  app.add_option("--host", flags.options.host, "Loopback address to listen on")->capture_default_str();
  app.add_option("--port", flags.options.port, "Port; 0 takes a free one, which is printed")
      ->check(CLI::Range(0, 65'535))
      ->capture_default_str();
  auto* cert =
      app.add_option("--tls-cert", flags.options.tls_cert, "Certificate chain (PEM): adds a TLS listener");
  auto* key = app.add_option("--tls-key", flags.options.tls_key, "Its private key (PEM)");
  cert->needs(key);
  key->needs(cert);
  app.add_option("--tls-port", flags.options.tls_port, "Port of the TLS listener")
      ->check(CLI::Range(0, 65'535))
      ->needs(cert)
      ->capture_default_str();
  app.add_option("--scenario", flags.scenario_file, "The world to begin with (YAML or JSON)");
  app.add_option("--behaviour", flags.behaviour_file,
                 "How the API behaves: a report of share-drift-exporter doctor");
  app.add_option("--access-key-id", flags.key_id, "Id of a key (or ENS_SIMULATOR_ACCESS_KEY_ID)");
  app.add_option("--access-key-secret-file", flags.secret_file,
                 "File with its secret (or ENS_SIMULATOR_ACCESS_KEY_SECRET)");
  app.add_option("--seed", flags.options.seed,
                 "Makes RequestIds and sessions repeatable; without it they are new at each start");
  app.add_option("--images", flags.images, "Adds images m-sim-1 ... m-sim-N")->check(CLI::Range(0, 100'000));
  app.add_option("--accounts", flags.accounts, "Accounts that each of them is shared with")
      ->check(CLI::Range(0, 10'000));
  app.add_option("--latency-ms", flags.latency_ms, "Delay of every answer")->check(CLI::Range(0, 600'000));
}

Err<OptionsEnd> usage(std::string text) {
  return Err(OptionsEnd{std::move(text) + "\n", 2});
}

/// The list under `name`, made if it is not there; nullptr if something else is there.
json* list_of(json& scenario, const char* name) {
  json& list = scenario[name];
  if (list.is_null()) list = json::array();
  return list.is_array() ? &list : nullptr;
}

/// Takes the behaviour of a report of doctor; what doctor did not see of it, joined by commas. A report that
/// saw nothing is refused: the simulator would be one of the documentation alone.
Result<std::string, OptionsEnd> add_behaviour(json& scenario, const std::string& file,
                                              const FileReader& read_file) {
  const auto text = read_file(file);
  if (!text) return usage("cannot read " + clean(file));
  auto parsed = parse_scenario(*text);
  if (!parsed) return usage(clean(file) + ": " + parsed.error());
  if (!parsed->contains("behaviour")) return usage(clean(file) + ": has no 'behaviour'");
  const json& behaviour = scenario["behaviour"] = (*parsed)["behaviour"];
  const json findings = parsed->value("findings", json::array());
  if (!findings.empty() && behaviour.empty())
    return usage(clean(file) + ": doctor saw nothing of how the API behaves; see what made it blind");
  std::string unseen;
  for (const json& finding : findings) {
    if (finding.value("standing", "") != "not seen") continue;
    unseen.append(unseen.empty() ? "" : ", ").append(clean(finding.value("name", "?"), 80));
  }
  return unseen;
}

Result<Unit, OptionsEnd> add_key(json& scenario, const Flags& flags, const Environment& environment,
                                 const FileReader& read_file) {
  std::string id =
      flags.key_id.empty() ? environment("ENS_SIMULATOR_ACCESS_KEY_ID").value_or("") : flags.key_id;
  std::string secret = environment("ENS_SIMULATOR_ACCESS_KEY_SECRET").value_or("");
  if (!flags.secret_file.empty()) {
    const auto text = read_file(flags.secret_file);
    if (!text) return usage("cannot read " + clean(flags.secret_file));
    secret = trim(*text);
  }
  if (id.empty() != secret.empty()) return usage("a key needs both its id and its secret");
  if (id.empty()) {
    if (scenario.contains("keys")) return Unit{};
    id = kDefaultKeyId;
    secret = kDefaultSecret;
  }
  json* keys = list_of(scenario, "keys");
  if (keys != nullptr) keys->push_back({{"id", id}, {"secret", secret}});
  return Unit{};
}

}  // namespace

Result<Options, OptionsEnd> parse_options(std::vector<std::string> arguments, const Environment& environment,
                                          const FileReader& read_file) {
  Flags flags;
  CLI::App app{"Simulates the parts of Alibaba Cloud that share-drift-exporter calls", "ens-simulator"};
  declare(app, flags);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return Err(OptionsEnd{app.help(), 0});
  } catch (const CLI::ParseError& problem) {
    return usage(clean(problem.what(), 400));
  }
  Options options = flags.options;
  // To a daemon that lives on, a RequestId that comes again is an answer that somebody kept.
  if (app.get_option("--seed")->empty()) options.seed = std::random_device{}();
  if (!is_local(options.host)) return usage("--host must be a loopback address");
  options.scenario = json::object();
  if (!flags.scenario_file.empty()) {
    const auto text = read_file(flags.scenario_file);
    if (!text) return usage("cannot read " + clean(flags.scenario_file));
    auto parsed = parse_scenario(*text);
    if (!parsed) return usage(clean(flags.scenario_file) + ": " + parsed.error());
    options.scenario = std::move(parsed).value();
  }
  json& scenario = options.scenario;
  if (!flags.behaviour_file.empty()) {
    SD_TRY(unseen, add_behaviour(scenario, flags.behaviour_file, read_file));
    options.unseen = std::move(unseen);
  }
  SD_TRY(added, add_key(scenario, flags, environment, read_file));
  static_cast<void>(added);
  if (flags.images > 0) scenario["fleet"] = {{"images", flags.images}, {"accounts", flags.accounts}};
  if (json* faults = flags.latency_ms > 0 ? list_of(scenario, "faults") : nullptr) {
    faults->push_back({{"kind", "latency"}, {"ms", flags.latency_ms}});
  }
  // The metadata service and the credentials URI answer out of the box.
  if (!scenario.contains("roles")) {
    scenario["roles"] = json::array({{{"name", "sim-role"}, {"rights", {"ens:Describe*"}}}});
  }
  return options;
}

}  // namespace sharedrift::simulator
