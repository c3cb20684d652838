#include "web/image_page.hpp"

#include "web/html.hpp"
#include "web/runbook_html.hpp"
#include "web/status_assets.hpp"
#include "web/web_json.hpp"

#include <algorithm>
#include <set>

namespace sharedrift {

namespace {

/// More rows than anybody reads at once; the others are folded.
constexpr std::size_t kShownAccounts = 20;

std::string fact(std::string_view name, const std::string& content) {
  return "<div><dt>" + std::string{name} + "</dt><dd>" + content + "</dd></div>";
}
std::string known_since(const std::optional<WallTime>& time, WallTime now) {
  return time ? minute(*time) + ", " + ago(*time, now) + " ago" : "<span class=\"stale\">never</span>";
}

template <class Number>
std::string so_many_accounts(Number number) {
  return std::to_string(number) + (number == 1 ? " account" : " accounts");
}

std::string facts_of(const ImagePageInput& input) {
  const ImageView& view = input.view;
  const ImagePolicy& policy = *view.policy;
  std::string out;
  if (!policy.name.empty()) out += fact("Image id", "<code>" + policy.id.str() + "</code>");
  if (!policy.team.empty()) out += fact("Team", "<bdi>" + html(policy.team) + "</bdi>");
  if (!policy.severity.empty()) out += fact("Severity", "<bdi>" + html(policy.severity) + "</bdi>");
  if (policy.canary) out += fact("Canary", "its account must always show");
  if (!policy.profile.empty()) out += fact("Profile", "<bdi>" + html(policy.profile) + "</bdi>");
  if (view.unwatched_since) {
    out += fact("Not watched since", known_since(view.unwatched_since, input.now));
  } else {
    out += fact("State", std::string{to_string(view.state)} +
                             (view.state_since ? " since " + known_since(view.state_since, input.now) : ""));
    out += fact("Shared with", view.shared_accounts ? so_many_accounts(*view.shared_accounts) : "not known");
    out += fact("Allowed", so_many_accounts(view.allowed_accounts.value_or(0)));
  }
  out += fact("Last proof", known_since(view.last_complete, input.now));
  out += fact("Last poll", known_since(view.last_poll, input.now));
  return out + fact("Last error", failure_html(view.last_failure));
}

std::string account_row(std::string_view kind, std::string_view label, const std::string& account,
                        const std::string& remark) {
  return "<tr class=\"" + std::string{kind} + "\"><td class=\"kind\">" + std::string{label} + "</td><td>" +
         account + "</td><td>" + remark + "</td></tr>\n";
}

std::string remark_on(const DriftView& drift, WallTime now) {
  std::string out = "since " + minute(drift.since) + ", " + ago(drift.since, now) + " ago";
  if (drift.first_run) out += "; it was there when watching began";
  if (drift.held) return out + "; its clear is held";
  return drift.clearing ? out + "; clearing" : out;
}

std::string remark_on(const ImagePolicy& policy, const AccountId& account, Grant grant) {
  if (grant != Grant::exception) return "";
  const auto found = std::find_if(policy.exceptions.begin(), policy.exceptions.end(),
                                  [&account](const Exception& e) { return e.account == account; });
  return "until " + minute(found->expires) + ": <bdi>" + html(found->reason) + "</bdi> (<bdi>" +
         html(found->owner) + "</bdi>, <bdi>" + html(found->ticket) + "</bdi>)";
}

/// The drift first, then who has the image and may.
std::vector<std::string> account_rows(const ImagePageInput& input) {
  const ImageView& view = input.view;
  std::vector<std::string> rows;
  for (const DriftView& drift : view.drifts) {
    rows.push_back(account_row(to_string(drift.kind),
                               drift.kind == DriftKind::unexpected ? "Unexpected" : "Missing",
                               account_html(drift.account, input.names), remark_on(drift, input.now)));
  }
  for (const AccountId& account : view.sightings) {
    const Grant grant = grant_of(*view.policy, account, input.now);
    if (grant == Grant::none) continue;  // drift
    rows.push_back(account_row("fine", to_string(grant), account_html(account, input.names),
                               remark_on(*view.policy, account, grant)));
  }
  return rows;
}

std::string section(std::string_view title, const std::string& content) {
  return "<section class=\"part\"><h3>" + std::string{title} + "</h3>\n" + content + "</section>\n";
}

std::string table(const std::vector<std::string>& rows, std::size_t from, std::size_t to) {
  std::string out = "<table class=\"plain\"><tbody>\n";
  for (std::size_t i = from; i < to; ++i)
    out += rows[i];
  return out + "</tbody></table>\n";
}

std::string accounts_section(const ImagePageInput& input) {
  const std::vector<std::string> rows = account_rows(input);
  if (rows.empty()) {
    return section("Accounts", input.view.shared_accounts == 0 ? "<p>It is shared with nobody.</p>\n"
                                                               : "<p>None is known.</p>\n");
  }
  const std::size_t shown = std::min(rows.size(), kShownAccounts);
  std::string out = table(rows, 0, shown);
  if (shown < rows.size()) {
    out += "<details><summary>" + std::to_string(rows.size() - shown) + " more</summary>\n" +
           table(rows, shown, rows.size()) + "</details>\n";
  }
  return section("Accounts", out);
}

/// A line for a shell that is broken between its options only.
std::string call_html(const std::string& call) {
  std::string out = html(call, call.size());
  for (std::size_t at = 0; (at = out.find(" --", at)) != std::string::npos; at += 1)
    out.replace(at, 1, "</span> <span>");
  return "<span>" + out + "</span>";
}

std::string calls_section(const ImagePageInput& input) {
  const std::vector<PlannedCall> calls = planned_calls(input.view, input.endpoints);
  if (calls.empty()) return "";
  std::string lines;
  std::set<DriftKind> kinds;
  for (const PlannedCall& planned : calls) {
    kinds.insert(planned.kind);
    lines += "<code>" + call_html(planned.call) + "</code>\n";
  }
  std::string advice =
      "<p>None of these was made. Read each, then run it with a key that may modify shares, never with the "
      "exporter's own. <code>--profile NAME</code> chooses the key.";
  if (kinds.contains(DriftKind::unexpected)) advice += " If a share is right, allow the account instead.";
  if (kinds.contains(DriftKind::missing))
    advice += " If an account must not have the image, take it out of <code>required</code> instead.";
  return section("Calls that would end it", advice + "</p>\n<pre class=\"calls\">" + lines + "</pre>\n");
}

/// Of an event that is not of the image alone.
std::string whose(const Event& event) {
  if (!event.image_id.empty()) return "";
  const std::string profile = event.text("profile");
  return profile.empty() ? " <i>of the exporter</i>" : " <i>of profile <bdi>" + html(profile) + "</bdi></i>";
}

std::string history_section(const ImagePageInput& input) {
  constexpr std::size_t kLongest = 2000;
  if (!input.events) return section("History", "<p class=\"stale\">" + html(input.events.error()) + "</p>\n");
  if (input.events->empty()) return section("History", "<p>No event is recorded.</p>\n");
  std::string rows = "<table class=\"plain\"><tbody>\n";
  std::for_each(input.events->rbegin(), input.events->rend(), [&rows](const Event& event) {
    rows += "<tr class=\"" + std::string{to_string(spec(event.type).level)} + "\"><td>" + minute(event.at) +
            "</td><td class=\"kind\">" + std::string{to_string(event.type)} + whose(event) + "</td><td>" +
            html(message_of(event), kLongest) + "</td></tr>\n";
  });
  return section("History", rows + "</tbody></table>\n");
}

/// The alert whose runbook helps; empty where nothing is wrong.
std::string_view alert_for(const ImagePageInput& input, Verdict verdict) {
  const ImageView& view = input.view;
  if (view.unwatched_since) return "ShareDriftUnwatchedWithDrift";
  if (verdict == Verdict::unexpected) return "ShareDriftUnexpectedAccount";
  if (verdict == Verdict::missing) return "ShareDriftRequiredAccountMissing";
  if (verdict == Verdict::in_sync) return "";
  switch (view.state) {
    case ImageState::never_read: return "ShareDriftNeverPolled";
    case ImageState::forbidden: return "ShareDriftPermissionLost";
    case ImageState::gone: return "ShareDriftImageGone";
    case ImageState::incomplete:
    case ImageState::unstable:
      return input.profile_fails ? "ShareDriftApiFailing" : "ShareDriftListingIncomplete";
    case ImageState::unreachable:
      if (input.profile_fails) return "ShareDriftApiFailing";
      break;
    default: break;
  }
  const bool fresh = view.policy->canary && view.listing_complete;
  return fresh ? "ShareDriftCanaryDriftMissing" : "ShareDriftListingStale";
}

std::string runbook_section(const ImagePageInput& input, Verdict verdict) {
  const std::string_view alert = alert_for(input, verdict);
  if (alert.empty()) return "";
  return section("Runbook " + std::string{alert},
                 "<div class=\"runbook\">\n" + runbook_html(alert, input.view.policy->id) + "</div>\n");
}

}  // namespace

bool profile_fails(const std::vector<ViewPtr>& views, const std::string& profile, WallTime now) {
  constexpr std::size_t kFewest = 5;
  std::size_t all = 0;
  std::size_t blind = 0;
  for (const ViewPtr& view : views) {
    if (view->policy->profile != profile || view->unwatched_since) continue;
    ++all;
    const ImageState state = view->state;
    const bool other =
        state == ImageState::forbidden || state == ImageState::gone || state == ImageState::invalid;
    if (!other && view->last_complete && now - *view->last_complete > 2 * view->policy->interval) ++blind;
  }
  return blind >= kFewest && 2 * blind > all;
}

std::string image_page(const ImagePageInput& input) {
  const ImagePolicy& policy = *input.view.policy;
  const Judgement judgement = judge(input.view, input.now);
  const auto& [page, own, script, style] = status_assets();
  return filled(own, {{"name", policy.name.empty() ? policy.id.str() : html(policy.name)},
                      {"id", policy.id.str()},
                      {"verdict", std::string{to_string(judgement.verdict)}},
                      {"verdict label", std::string{label(judgement.verdict)}},
                      {"why", html(judgement.why)},
                      {"as of", minute(input.now)},
                      {"facts", facts_of(input)},
                      {"accounts", accounts_section(input)},
                      {"calls", calls_section(input)},
                      {"history", history_section(input)},
                      {"runbook", runbook_section(input, judgement.verdict)},
                      {"style", style.url},
                      {"style integrity", style.integrity}})
      .first;
}

}  // namespace sharedrift
