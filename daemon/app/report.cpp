#include "aliyun/rpc_signature.hpp"
#include "app/report_words.hpp"
#include "app/version.hpp"
#include "core/text.hpp"
#include "web/web_json.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace sharedrift {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// A path as SARIF wants it: a relative reference, or a file URI if it is absolute.
std::string uri_of(const std::string& path) {
  constexpr std::string_view kSlash = "%2F";
  std::string uri = (path.starts_with('/') ? "file://" : "") + percent_encode(path);
  for (std::size_t at = 0; (at = uri.find(kSlash)) != std::string::npos;)
    uri.replace(at, kSlash.size(), "/");
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
    if (!seen || grant_of(*view.policy, exception.account, input.now) != Grant::exception) continue;
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
  if (const std::string why = blindness(view, input.now); !why.empty()) {
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
      if (judge(*view, input.now).verdict == verdict) views.push_back(view.get());
    }
  }
  return views;
}

using Cells = std::array<std::string, 6>;

Cells cells_of(const ImageView& view, WallTime now) {
  const auto count = [&view](DriftKind kind) {
    const std::size_t accounts = accounts_of(view, kind).size();
    return accounts > 0 || view.listing_complete ? std::to_string(accounts) : "?";
  };
  std::string verdict{to_string(judge(view, now).verdict)};
  std::replace(verdict.begin(), verdict.end(), '_', ' ');
  return {image_label(view),
          verdict,
          view.listing_complete && view.shared_accounts ? std::to_string(*view.shared_accounts) : "-",
          std::to_string(view.allowed_accounts.value_or(0)),
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
    counts.add(judge(*view, input.now).verdict);
  if (input.hides_images) counts.add_unknown_images();
  return counts;
}

std::vector<std::string> unwatched(const ReportInput& input) {
  std::vector<std::string> out;
  for (const auto& [profile, inventory] : input.inventories) {
    const auto count = static_cast<std::size_t>(inventory.unwatched.value_or(0));
    if (count == 0) continue;
    std::string names;
    for (const auto& [id, name] : inventory.some_unwatched) {
      names.append(names.empty() ? "" : ", ").append(id.str());
      if (!name.empty()) names.append(" (").append(clean(name)).append(")");
    }
    const std::size_t more = count - inventory.some_unwatched.size();
    if (more > 0) names.append(" and ").append(std::to_string(more)).append(" more");
    std::string line = std::to_string(count);
    line.append(count == 1 ? " image" : " images").append(" of the account of profile ").append(profile);
    line.append(count == 1 ? " is" : " are").append(" not watched: ").append(names);
    const std::int64_t left_out = inventory.left_out.value_or(0);
    out.push_back(line.append(left_out > 0 ? "; for " + std::to_string(left_out) + " there is no room"
                                           : "; a rule under discover watches all"));
  }
  return out;
}

std::string report_table(const ReportInput& input) {
  const VerdictCounts counts = count_verdicts(input);
  const std::string rest = counts.subline();
  std::vector<Cells> rows{{"IMAGE", "VERDICT", "SHARED", "ALLOWED", "UNEXPECTED", "MISSING"}};
  std::string details;
  for (const ImageView* view : by_verdict(input)) {
    rows.push_back(cells_of(*view, input.now));
    const std::string image = image_label(*view);
    for (const AccountId& account : unwanted(*view))
      details += image + ": unexpected: " + account_label(account, input) + "\n";
    for (const AccountId& account : accounts_of(*view, DriftKind::missing))
      details += image + ": missing: " + account_label(account, input) + "\n";
  }
  details += blind_lines(input, "", 5, ": could not tell");
  for (const auto& lines : {input.doubts, unwatched(input)}) {
    for (const std::string& line : lines)
      details += line + "\n";
  }
  return counts.headline() + (rest.empty() ? "" : " (" + rest + ")") + "\n\n" + aligned(rows) +
         (details.empty() ? "" : "\n" + details);
}

std::string report_json(const ReportInput& input) {
  Json json{{"verdict", std::string{to_string(count_verdicts(input).worst())}},
            {"time", format_rfc3339(input.now)},
            {"doubts", input.doubts},
            {"unwatched", unwatched(input)}};
  json["images"] = Json::array();
  for (const auto& view : input.views)
    json["images"].push_back(image_json(*view, input.account_names, input.now));
  return dump(json);
}

std::string report_sarif(const ReportInput& input) {
  Json results = Json::array();
  bool all_read = !input.views.empty();  // of an account without images nothing was read
  for (const auto& view : input.views) {
    append_sarif_results(results, *view, input);
    all_read = all_read && view->listing_complete;
  }
  Json notes = Json::array();
  for (const std::string& doubt : input.doubts)
    notes.push_back({{"level", "error"}, {"message", {{"text", doubt}}}});
  for (const std::string& left : unwatched(input))
    notes.push_back({{"level", "warning"}, {"message", {{"text", left}}}});
  all_read = all_read && input.doubts.empty();
  const Json rules =
      Json::array({sarif_rule("unexpected-account", "Shared with an unexpected account", "error"),
                   sarif_rule("missing-account", "Not shared with a required account", "error"),
                   sarif_rule("could-not-tell", "The list of accounts could not be read whole", "warning")});
  const Json driver{{"name", "share-drift-exporter"}, {"version", program_version()}, {"rules", rules}};
  const Json run{{"tool", {{"driver", driver}}},
                 {"invocations", Json::array({{{"executionSuccessful", all_read},
                                               {"endTimeUtc", format_rfc3339(input.now)},
                                               {"toolExecutionNotifications", notes}}})},
                 {"results", results}};
  return dump({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
               {"version", "2.1.0"},
               {"runs", Json::array({run})}});
}

std::string report_plan(const ReportInput& input, const Endpoints& endpoints) {
  std::string calls;
  for (const ImageView* view : by_verdict(input)) {
    const std::string comment = "# " + image_label(*view) + ": ";
    for (const auto& [account, kind, call] : planned_calls(*view, endpoints)) {
      calls.append(comment).append(to_string(kind)).append(": ");
      calls.append(account_label(account, input)).append("\n" + call + "\n");
    }
  }
  const bool sure = count_verdicts(input).worst() == Verdict::in_sync;
  std::string head =
      "# None of these calls was made. Read each, then run it with a key that may modify shares.\n";
  if (calls.empty()) head = sure ? "# Nothing to do.\n" : "# Nothing to do that is known of.\n";
  for (const std::string& doubt : input.doubts)
    calls += "# " + doubt + ", so there may be more to do\n";
  return head + calls + blind_lines(input, "# ", kAll, ": could not tell, so there may be more to do");
}

}  // namespace sharedrift
