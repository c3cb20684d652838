#include "app/report.hpp"

#include "aliyun/rpc_signature.hpp"
#include "app/causes.hpp"
#include "app/version.hpp"
#include "config/baseline_writer.hpp"
#include "core/discovery.hpp"
#include "core/text.hpp"
#include "web/web_json.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

namespace sharedrift {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<AccountId> accounts_of(const ImageView& view, DriftKind kind) {
  std::vector<AccountId> accounts;
  for (const DriftView& drift : view.drifts) {
    if (drift.kind == kind) accounts.push_back(drift.account);
  }
  return accounts;
}

/// What must be taken away: of a canary, nothing.
std::vector<AccountId> unwanted(const ImageView& view) {
  return view.policy->canary ? std::vector<AccountId>{} : accounts_of(view, DriftKind::unexpected);
}

std::string account_label(const AccountId& account, const ReportInput& input) {
  std::string label{account.str()};
  const auto name = input.account_names.find(account);
  if (name != input.account_names.end()) label += " (" + clean(name->second) + ")";
  return label;
}

std::string image_label(const ImageView& view) {
  return view.policy->name.empty() ? view.policy->id.str()
                                   : view.policy->id.str() + " (" + clean(view.policy->name) + ")";
}

/// Why nobody can tell, with the API's own code; empty where somebody can.
std::string blindness(const ImageView& view, const JudgingAt& at) {
  if (view.listing_complete) {
    const Judgement judgement = judge(view, at);
    return judgement.verdict == Verdict::unknown ? judgement.why : "";
  }
  return view.last_failure ? cause_of(*view.last_failure) : "not read";
}

/// For Alibaba Cloud's support, behind blindness().
std::string request_of(const ImageView& view) {
  if (view.listing_complete || !view.last_failure || view.last_failure->request_id.empty()) return "";
  return " [request " + view.last_failure->request_id + "]";
}

/// A path as SARIF wants it: a relative reference, or a file URI if it is absolute.
std::string uri_of(const std::string& path) {
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    uri += percent_encode(std::string_view{path}.substr(begin, end - begin));
    if (end < path.size()) uri += '/';
    begin = end + 1;
  }
  return uri;
}

Json sarif_rule(const char* id, const char* text, const char* level) {
  return {{"id", id}, {"shortDescription", {{"text", text}}}, {"defaultConfiguration", {{"level", level}}}};
}

Json sarif_result(const ImageView& view, const char* rule, const char* level, const std::string& message,
                  const std::string& account, const ReportInput& input) {
  const auto file = input.image_files.find(view.policy->id);
  const std::string uri = uri_of(file == input.image_files.end() ? input.config_file : file->second);
  Json result{{"ruleId", rule}, {"level", level}, {"message", {{"text", message}}}};
  result["locations"] =
      Json::array({{{"physicalLocation", {{"artifactLocation", {{"uri", uri}}}}},
                    {"logicalLocations",
                     Json::array({{{"fullyQualifiedName", view.policy->id.str()}, {"kind", "resource"}}})}}});
  result["partialFingerprints"] = {
      {"shareDrift/v1", std::string{rule} + "/" + view.policy->id.str() + "/" + account}};
  return result;
}

void append_sarif_results(Json& results, const ImageView& view, const ReportInput& input) {
  const std::string image = "Image " + image_label(view);
  for (const AccountId& account : unwanted(view)) {
    results.push_back(
        sarif_result(view, "unexpected-account", "error",
                     image + " is shared with the unexpected account " + account_label(account, input) + ".",
                     std::string(account.str()), input));
  }
  for (const AccountId& account : accounts_of(view, DriftKind::missing)) {
    results.push_back(sarif_result(
        view, "missing-account", "error",
        image + " is not shared with the required account " + account_label(account, input) + ".",
        std::string(account.str()), input));
  }
  for (const Exception& exception : view.policy->exceptions) {
    const bool seen = std::binary_search(view.sightings.begin(), view.sightings.end(), exception.account);
    if (!seen || grant_of(*view.policy, exception.account, input.at.now) != Grant::exception) continue;
    Json result = sarif_result(view, "unexpected-account", "note",
                               image + " is shared with account " + account_label(exception.account, input) +
                                   " by an exception until " + format_rfc3339(exception.expires) + ".",
                               std::string(exception.account.str()), input);
    result["suppressions"] = Json::array(
        {{{"kind", "external"},
          {"status", "accepted"},
          {"justification", exception.ticket + ": " + exception.reason + " (" + exception.owner + ")"}}});
    results.push_back(std::move(result));
  }
  if (const std::string why = blindness(view, input.at); !why.empty()) {
    results.push_back(sarif_result(view, "could-not-tell", "warning",
                                   image + " could not be judged: " + why + request_of(view) + ".", "",
                                   input));
  }
}

/// The images, the worst first.
std::vector<const ImageView*> by_verdict(const ReportInput& input) {
  std::vector<const ImageView*> views;
  for (const Verdict verdict : kAllVerdicts) {
    for (const auto& view : input.views) {
      if (judge(*view, input.at).verdict == verdict) views.push_back(view.get());
    }
  }
  return views;
}

/// Why nobody can tell, a line for each cause: `head`, up to `most` images and one, `what`, the cause.
std::string blind_lines(const ReportInput& input, std::string_view head, std::size_t most,
                        std::string_view what) {
  Causes causes;
  for (const auto& view : input.views) {
    if (const std::string why = blindness(*view, input.at); !why.empty())
      causes.add(why, image_label(*view), request_of(*view));
  }
  std::string out;
  for (const Causes::Cause& cause : causes.all()) {
    out.append(head).append(listed_names(cause.names, most)).append(what);
    out.append(": ").append(cause.text).append(cause.sample).append("\n");
  }
  return out;
}
constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max() - 1;

using Cells = std::array<std::string, 6>;

Cells cells_of(const ImageView& view, const JudgingAt& at) {
  const auto count = [&view](DriftKind kind) {
    const std::size_t accounts = accounts_of(view, kind).size();
    return accounts > 0 || view.listing_complete ? std::to_string(accounts) : "?";
  };
  std::string verdict{to_string(judge(view, at).verdict)};
  std::replace(verdict.begin(), verdict.end(), '_', ' ');
  return {image_label(view),
          verdict,
          view.listing_complete && view.shared_accounts ? std::to_string(*view.shared_accounts) : "-",
          std::to_string(view.allowed_accounts),
          count(DriftKind::unexpected),
          count(DriftKind::missing)};
}

std::string aligned(const std::vector<Cells>& rows) {
  std::array<std::size_t, std::tuple_size_v<Cells>> widths{};
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths.at(i) = std::max(widths.at(i), row.at(i).size());
  }
  std::string out;
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row.at(i);
      if (i + 1 < row.size()) out.append(widths.at(i) + 2 - row.at(i).size(), ' ');
    }
    out += '\n';
  }
  return out;
}

NewExceptions new_exceptions(const ReportInput& input) {
  constexpr auto kReviewWithin = std::chrono::hours{24 * 90};
  NewExceptions added;
  added.expires = format_rfc3339(input.at.now + kReviewWithin).substr(0, 10);
  for (const auto& view : input.views)
    added.accounts[view->policy->id] = unwanted(*view);
  return added;
}

/// What a baseline says before its YAML.
std::string remarks(const ReportInput& input) {
  std::string out;
  const bool shared = std::any_of(input.views.begin(), input.views.end(),
                                  [](const auto& view) { return !unwanted(*view).empty(); });
  if (shared) out += "# Give each new exception an owner, a ticket and a reason, or end the share.\n";
  for (const auto& view : input.views) {
    const std::string image = "# " + image_label(*view) + ": ";
    for (const AccountId& account : accounts_of(*view, DriftKind::missing))
      out += image + "missing: " + account_label(account, input) + "\n";
  }
  return out + blind_lines(input, "# ", kAll, ": could not tell, so more may be shared");
}

/// Discovered images that need an entry: no rule but the last one fits, or their rule does not allow what is
/// shared.
FoundImages found_images(const ReportInput& input, const Config& config) {
  FoundImages found{{}, config.poll.interval, config.discover.size() == 1};
  std::set<ImageId> configured;
  for (const auto& image : config.images)
    configured.insert(image->id);
  for (const auto& view : input.views) {
    const ImagePolicy& policy = *view->policy;
    if (configured.contains(policy.id)) continue;
    const bool has_rule =
        std::any_of(config.discover.begin(), config.discover.end() - 1, [&policy](const DiscoverRule& rule) {
          return (rule.profile.empty() || rule.profile == policy.profile) &&
                 (rule.name.empty() || glob_fits(rule.name, policy.name));
        });
    if (!has_rule || !unwanted(*view).empty()) found.images.push_back(view->policy);
  }
  return found;
}

/// The images of each file under its name.
std::string sections(const std::vector<ConfigFile>& files, const NewExceptions& added) {
  std::string out;
  for (const ConfigFile& file : files) {
    if (const std::string images = images_section(file.text, added); !images.empty())
      out.append("--- # ").append(clean(file.name)).append("\n").append(images);
  }
  return out;
}

}  // namespace

int exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::in_sync: return 0;
    case Verdict::unexpected:
    case Verdict::missing: return 1;
    case Verdict::unknown: return 3;
  }
  return 3;
}

VerdictCounts count_verdicts(const ReportInput& input) {
  VerdictCounts counts;
  for (const auto& view : input.views)
    counts.add(judge(*view, input.at).verdict);
  return counts;
}

std::string report_table(const ReportInput& input) {
  const VerdictCounts counts = count_verdicts(input);
  const std::string rest = counts.subline();
  std::vector<Cells> rows{{"IMAGE", "VERDICT", "SHARED", "ALLOWED", "UNEXPECTED", "MISSING"}};
  std::string details;
  for (const ImageView* view : by_verdict(input)) {
    rows.push_back(cells_of(*view, input.at));
    const std::string image = image_label(*view);
    for (const AccountId& account : unwanted(*view))
      details += image + ": unexpected: " + account_label(account, input) + "\n";
    for (const AccountId& account : accounts_of(*view, DriftKind::missing))
      details += image + ": missing: " + account_label(account, input) + "\n";
  }
  details += blind_lines(input, "", 5, ": could not tell");
  return counts.headline() + (rest.empty() ? "" : " (" + rest + ")") + "\n\n" + aligned(rows) +
         (details.empty() ? "" : "\n" + details);
}

std::string report_json(const ReportInput& input) {
  Json json{{"verdict", std::string{to_string(count_verdicts(input).worst())}},
            {"time", format_rfc3339(input.at.now)}};
  json["images"] = Json::array();
  for (const auto& view : input.views)
    json["images"].push_back(image_json(*view, input.account_names, input.at));
  return dump(json);
}

std::string report_sarif(const ReportInput& input) {
  Json results = Json::array();
  bool all_read = !input.views.empty();  // of an account without images nothing was read
  for (const auto& view : input.views) {
    append_sarif_results(results, *view, input);
    all_read = all_read && view->listing_complete;
  }
  const Json rules =
      Json::array({sarif_rule("unexpected-account", "Shared with an unexpected account", "error"),
                   sarif_rule("missing-account", "Not shared with a required account", "error"),
                   sarif_rule("could-not-tell", "The list of accounts could not be read whole", "warning")});
  const Json driver{{"name", "share-drift-exporter"}, {"version", kVersion}, {"rules", rules}};
  const Json run{
      {"tool", {{"driver", driver}}},
      {"invocations",
       Json::array({{{"executionSuccessful", all_read}, {"endTimeUtc", format_rfc3339(input.at.now)}}})},
      {"results", results}};
  return dump({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
               {"version", "2.1.0"},
               {"runs", Json::array({run})}});
}

std::string report_plan(const ReportInput& input, const Endpoints& endpoints) {
  std::string out =
      "# None of these calls was made. Read each, then run it with a key that may modify shares.\n";
  for (const ImageView* view : by_verdict(input)) {
    const std::string comment = "# " + image_label(*view) + ": ";
    for (const auto& [account, kind, call] : planned_calls(*view, endpoints)) {
      out.append(comment).append(to_string(kind)).append(": ");
      out.append(account_label(account, input)).append("\n" + call + "\n");
    }
  }
  return out + blind_lines(input, "# ", kAll, ": could not tell, so there may be more to do");
}

std::string report_baseline(const ReportInput& input, const std::vector<ConfigFile>& files) {
  std::string out = "# What is shared at " + format_rfc3339(input.at.now) + ", in place of the images of " +
                    clean(input.config_file) + ".\n" + remarks(input);
  const NewExceptions added = new_exceptions(input);
  return out + (files.size() == 1 ? images_section(files.front().text, added) : sections(files, added));
}

std::string report_whole_baseline(const ReportInput& input, const std::vector<ConfigFile>& files,
                                  const Config& config) {
  const std::string out = "# What is owned and shared at " + format_rfc3339(input.at.now) +
                          ", with what stands in " + clean(input.config_file) + ".\n" + remarks(input);
  const NewExceptions added = new_exceptions(input);
  const FoundImages found = found_images(input, config);
  if (files.size() == 1) return out + whole_config(files.front().text, added, found);
  return out + sections(files, added) + "--- # a new file\n" + whole_config("", added, found);
}

}  // namespace sharedrift
