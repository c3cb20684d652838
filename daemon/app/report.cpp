#include "app/report.hpp"

#include "aliyun/rpc_signature.hpp"
#include "app/version.hpp"
#include "config/config_writer.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace sharedrift {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<AccountId> drifting(const ImageView& view, DriftKind kind) {
  std::vector<AccountId> accounts;
  for (const DriftView& drift : view.drifts) {
    if (drift.kind == kind) accounts.push_back(drift.account);
  }
  return accounts;
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

std::string why_unknown(const ImageView& view) {
  if (!view.last_failure) return "not read";
  std::string why{to_string(view.last_failure->reason)};
  if (!view.last_failure->detail.empty()) why += ": " + view.last_failure->detail;
  if (!view.last_failure->request_id.empty()) why += " [request " + view.last_failure->request_id + "]";
  return why;
}

std::string number_or_dash(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : "-";
}

void append_padded(std::string& out, std::string_view text, std::size_t width) {
  out += text;
  out.append(text.size() < width ? width - text.size() : 0, ' ');
}

Json accounts_json(const ImageView& view, DriftKind kind, const ReportInput& input) {
  Json list = Json::array();
  for (const AccountId& account : drifting(view, kind)) {
    Json entry{{"account_id", std::string{account.str()}}};
    const auto name = input.account_names.find(account);
    if (name != input.account_names.end()) entry["account_name"] = name->second;
    list.push_back(std::move(entry));
  }
  return list;
}

Json image_json(const ImageView& view, const ReportInput& input) {
  Json image{{"image_id", view.policy->id.str()},
             {"image_name", view.policy->name},
             {"verdict", std::string{to_string(verdict_of(view))}},
             {"state", std::string{to_string(view.state)}},
             {"listing_complete", view.listing_complete}};
  image["shared_accounts"] = view.shared_accounts ? Json(*view.shared_accounts) : Json(nullptr);
  image["allowed_accounts"] = view.allowed_accounts;
  image["unexpected"] = accounts_json(view, DriftKind::unexpected, input);
  image["missing"] = accounts_json(view, DriftKind::missing, input);
  if (view.last_failure) {
    image["failure"] = {{"reason", std::string{to_string(view.last_failure->reason)}},
                        {"detail", view.last_failure->detail},
                        {"code", view.last_failure->code},
                        {"http_status", view.last_failure->http_status},
                        {"request_id", view.last_failure->request_id}};
  }
  return image;
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
  Json result{{"ruleId", rule}, {"level", level}, {"message", {{"text", message}}}};
  result["locations"] =
      Json::array({{{"physicalLocation", {{"artifactLocation", {{"uri", uri_of(input.config_file)}}}}},
                    {"logicalLocations",
                     Json::array({{{"fullyQualifiedName", view.policy->id.str()}, {"kind", "resource"}}})}}});
  result["partialFingerprints"] = {
      {"shareDrift/v1", std::string{rule} + "/" + view.policy->id.str() + "/" + account}};
  return result;
}

void append_sarif_results(Json& results, const ImageView& view, const ReportInput& input) {
  for (const AccountId& account : drifting(view, DriftKind::unexpected)) {
    results.push_back(sarif_result(view, "unexpected-account", "error",
                                   "Image " + image_label(view) + " is shared with account " +
                                       account_label(account, input) + ", which no list lets in.",
                                   std::string{account.str()}, input));
  }
  for (const AccountId& account : drifting(view, DriftKind::missing)) {
    results.push_back(sarif_result(view, "missing-account", "error",
                                   "Image " + image_label(view) + " is not shared with account " +
                                       account_label(account, input) + ", which must have it.",
                                   std::string{account.str()}, input));
  }
  for (const Exception& exception : view.policy->exceptions) {
    const bool seen = std::binary_search(view.sightings.begin(), view.sightings.end(), exception.account);
    if (!seen || grant_of(*view.policy, exception.account, input.now) != Grant::exception) continue;
    Json result = sarif_result(view, "unexpected-account", "note",
                               "Image " + image_label(view) + " is shared with account " +
                                   account_label(exception.account, input) + " by an exception until " +
                                   format_rfc3339(exception.expires) + ".",
                               std::string{exception.account.str()}, input);
    result["suppressions"] = Json::array(
        {{{"kind", "external"},
          {"status", "accepted"},
          {"justification", exception.ticket + ": " + exception.reason + " (" + exception.owner + ")"}}});
    results.push_back(std::move(result));
  }
  if (!view.listing_complete) {
    results.push_back(
        sarif_result(view, "could-not-tell", "warning",
                     "Image " + image_label(view) + " could not be judged: " + why_unknown(view), "", input));
  }
}

std::string quoted(const AccountId& account) {
  return "\"" + std::string{account.str()} + "\"";
}

std::string yaml_list(const std::vector<AccountId>& accounts) {
  std::string out = "[";
  for (const AccountId& account : accounts) {
    if (out.size() > 1) out += ", ";
    out += quoted(account);
  }
  return out + "]";
}

std::string baseline_image(const ImageView& view, const ReportInput& input) {
  constexpr auto kReviewWithin = std::chrono::hours{24 * 90};
  const ImagePolicy& policy = *view.policy;
  std::string out;
  if (!view.listing_complete)
    out += "  # could not be read whole (" + clean(why_unknown(view)) + "): more may be shared\n";
  out += "  - id: " + policy.id.str() + "\n";
  if (!policy.name.empty()) out += "    name: " + yaml_string(policy.name) + "\n";
  if (policy.profile != "default") out += "    profile: " + yaml_string(policy.profile) + "\n";
  if (!policy.required.empty()) out += "    required: " + yaml_list(policy.required) + "\n";
  out += "    allowed: " + yaml_list(policy.allowed) + "\n";
  const std::vector<AccountId> unexpected = drifting(view, DriftKind::unexpected);
  if (unexpected.empty()) return out;
  out += "    exceptions:\n";
  const std::string expires = format_rfc3339(input.now + kReviewWithin).substr(0, 10);
  for (const AccountId& account : unexpected) {
    out += "      - {account: " + quoted(account) + ", expires: " + expires +
           ", owner: \"\", ticket: \"\", reason: \"\"}\n";
  }
  return out;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::in_sync: return "in_sync";
    case Verdict::drift: return "drift";
    case Verdict::unknown: return "unknown";
  }
  return "unknown";
}

Verdict verdict_of(const ImageView& view) {
  if (!view.drifts.empty()) return Verdict::drift;
  return view.listing_complete ? Verdict::in_sync : Verdict::unknown;
}

Verdict verdict_of(const std::vector<std::shared_ptr<const ImageView>>& views) {
  const auto any = [&views](Verdict wanted) {
    return std::any_of(views.begin(), views.end(),
                       [wanted](const auto& view) { return verdict_of(*view) == wanted; });
  };
  if (any(Verdict::drift)) return Verdict::drift;
  return any(Verdict::unknown) ? Verdict::unknown : Verdict::in_sync;
}

int exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::in_sync: return 0;
    case Verdict::drift: return 1;
    case Verdict::unknown: return 3;
  }
  return 3;
}

std::string report_table(const ReportInput& input) {
  constexpr std::array<std::string_view, 6> kHead{"IMAGE",   "VERDICT",    "SHARED",
                                                  "ALLOWED", "UNEXPECTED", "MISSING"};
  std::vector<std::array<std::string, 6>> rows;
  for (const auto& view : input.views) {
    const auto count = [&view](DriftKind kind) { return std::to_string(drifting(*view, kind).size()); };
    const bool known = view->listing_complete;
    std::string verdict{to_string(verdict_of(*view))};
    std::replace(verdict.begin(), verdict.end(), '_', ' ');
    rows.push_back({image_label(*view), verdict, known ? number_or_dash(view->shared_accounts) : "-",
                    std::to_string(view->allowed_accounts),
                    known || count(DriftKind::unexpected) != "0" ? count(DriftKind::unexpected) : "?",
                    known || count(DriftKind::missing) != "0" ? count(DriftKind::missing) : "?"});
  }
  std::array<std::size_t, 6> widths{};
  for (std::size_t i = 0; i < kHead.size(); ++i) {
    widths.at(i) = kHead.at(i).size();
    for (const auto& row : rows)
      widths.at(i) = std::max(widths.at(i), row.at(i).size());
  }
  std::string out;
  const auto line = [&out, &widths](const auto& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i)
      append_padded(out, cells.at(i), i + 1 < cells.size() ? widths.at(i) + 2 : 0);
    out += '\n';
  };
  line(kHead);
  for (const auto& row : rows)
    line(row);
  std::string details;
  for (const auto& view : input.views) {
    for (const AccountId& account : drifting(*view, DriftKind::unexpected)) {
      details +=
          image_label(*view) + ": shared with " + account_label(account, input) + ", which no list lets in\n";
    }
    for (const AccountId& account : drifting(*view, DriftKind::missing)) {
      details += image_label(*view) + ": not shared with " + account_label(account, input) +
                 ", which must have it\n";
    }
    if (!view->listing_complete)
      details += image_label(*view) + ": could not tell, " + why_unknown(*view) + "\n";
  }
  return details.empty() ? out : out + "\n" + details;
}

std::string report_json(const ReportInput& input) {
  Json json{{"verdict", std::string{to_string(verdict_of(input.views))}},
            {"time", format_rfc3339(input.now)}};
  json["images"] = Json::array();
  for (const auto& view : input.views)
    json["images"].push_back(image_json(*view, input));
  return dump(json);
}

std::string report_sarif(const ReportInput& input) {
  Json results = Json::array();
  bool all_read = true;
  for (const auto& view : input.views) {
    append_sarif_results(results, *view, input);
    all_read = all_read && view->listing_complete;
  }
  const Json rules =
      Json::array({sarif_rule("unexpected-account", "Shared with an account that no list lets in", "error"),
                   sarif_rule("missing-account", "Not shared with an account that must have it", "error"),
                   sarif_rule("could-not-tell", "The list of accounts could not be read whole", "warning")});
  const Json driver{{"name", "share-drift-exporter"}, {"version", kVersion}, {"rules", rules}};
  const Json run{
      {"tool", {{"driver", driver}}},
      {"invocations",
       Json::array({{{"executionSuccessful", all_read}, {"endTimeUtc", format_rfc3339(input.now)}}})},
      {"results", results}};
  return dump({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
               {"version", "2.1.0"},
               {"runs", Json::array({run})}});
}

std::string report_plan(const ReportInput& input, const std::map<std::string, std::string>& endpoints) {
  std::string out =
      "# Not run by anybody yet. Read each line, then run it with a key that may modify shares.\n";
  for (const auto& view : input.views) {
    const std::string& id = view->policy->id.str();
    const auto endpoint = endpoints.find(view->policy->profile);
    const std::string call = "aliyun ens ModifyImageSharePermission --ImageId " + id +
                             (endpoint == endpoints.end() ? "" : " --endpoint " + endpoint->second);
    for (const AccountId& account : drifting(*view, DriftKind::unexpected)) {
      out += "# " + image_label(*view) + ": take it from " + account_label(account, input) + "\n";
      out += call + " --RemoveAccounts " + std::string{account.str()} + "\n";
    }
    for (const AccountId& account : drifting(*view, DriftKind::missing)) {
      out += "# " + image_label(*view) + ": give it to " + account_label(account, input) + "\n";
      out += call + " --AddAccounts " + std::string{account.str()} + "\n";
    }
    if (!view->listing_complete) {
      out += "# " + image_label(*view) + ": could not be read whole (" + why_unknown(*view) +
             "); there may be more to do\n";
    }
  }
  return out;
}

std::string report_baseline(const ReportInput& input) {
  std::string out = "# What is shared at " + format_rfc3339(input.now) +
                    ". Give each exception an owner, a ticket and a reason, or end the share.\nimages:\n";
  for (const auto& view : input.views)
    out += baseline_image(*view, input);
  return out;
}

}  // namespace sharedrift
