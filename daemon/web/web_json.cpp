#include "web/web_json.hpp"

#include "core/text.hpp"
#include "log/log_record.hpp"

#include <memory>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace sharedrift {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Of a person or a server: readers put it in front of people.
std::string outside(std::string_view text) {
  constexpr std::size_t kLongest = 300;
  return clean(text, kLongest);
}
Json time(const std::optional<WallTime>& value) {
  return value ? Json(format_rfc3339(*value)) : Json(nullptr);
}

Json account_json(const AccountId& account, const AccountNames& names) {
  return {{"account_id", account.str()}, {"account_name", outside(name_of(account, names))}};
}

Json drift_json(const DriftView& drift, const AccountNames& names) {
  Json json = account_json(drift.account, names);
  json.update({{"kind", to_string(drift.kind)},
               {"since", time(drift.since)},
               {"not_before", time(drift.not_before)},
               {"first_seen", time(drift.first_seen)},
               {"last_seen", time(drift.last_seen)},
               {"clearing", drift.clearing},
               {"held", drift.held},
               {"first_run", drift.first_run}});
  return json;
}

Json failure_json(const std::shared_ptr<const Failure>& failure) {
  if (!failure) return nullptr;
  return {{"reason", to_string(failure->reason)},
          {"detail", outside(failure->detail)},
          {"code", outside(failure->code)},
          {"http_status", failure->http_status},
          {"request_id", outside(failure->request_id)}};
}

/// `{"status":"success","data":[...]}`
template <class Items, class Append>
void write_list(AnswerWriter& out, const Items& items, Append append) {
  out.text() += R"({"status":"success","data":[)";
  bool first = true;
  for (const auto& item : items) {
    if (!std::exchange(first, false)) out.text() += ',';
    append(out.text(), item);
    out.cut();
  }
  out.text() += "]}\n";
}

}  // namespace

Json image_json(const ImageView& view, const AccountNames& names, WallTime now) {
  const ImagePolicy& policy = *view.policy;
  const Judgement judgement = judge(view, now);
  Json drift = Json::array();
  for (const DriftView& each : view.drifts)
    drift.push_back(drift_json(each, names));
  Json json{{"image_id", policy.id.str()},
            {"image_name", outside(policy.name)},
            {"team", outside(policy.team)},
            {"severity", outside(policy.severity)},
            {"profile", outside(policy.profile)},
            {"canary", policy.canary},
            {"verdict", to_string(judgement.verdict)},
            {"why", judgement.why},
            {"stale", judgement.stale},
            {"state", to_string(view.state)},
            {"state_since", time(view.state_since)},
            {"listing_complete", view.listing_complete},
            {"last_complete", time(view.last_complete)},
            {"last_attempt", time(view.last_poll)},
            {"unwatched_since", time(view.unwatched_since)},
            {"interval_seconds", std::chrono::duration<double>(policy.interval).count()}};
  for (const ImageFamily& family : image_families()) {
    if (family.json == nullptr) continue;
    const ImageView::Gauge& value = view.*family.json;
    json[family.json_name()] = value ? Json(*value) : Json(nullptr);
  }
  json.update({{"counters",
                {{"listings", view.counters.listings},
                 {"failures", view.counters.failures},
                 {"flaps", view.counters.flaps}}},
               {"last_failure", failure_json(view.last_failure)},
               {"drift", std::move(drift)}});
  return json;
}

void write_image(AnswerWriter& out, const ImageView& view, const AccountNames& names, WallTime now) {
  Json data = image_json(view, names, now);
  Json& accounts = data["accounts"] = Json::array();
  for (const AccountId& account : view.sightings) {
    accounts.push_back(account_json(account, names));
    accounts.back()["grant"] = to_string(grant_of(*view.policy, account, now));
  }
  Json& exceptions = data["exceptions"] = Json::array();
  for (const Exception& exception : view.policy->exceptions) {
    exceptions.push_back(account_json(exception.account, names));
    exceptions.back().update({{"expires", time(exception.expires)},
                              {"owner", outside(exception.owner)},
                              {"ticket", outside(exception.ticket)},
                              {"reason", outside(exception.reason)}});
  }
  out.text() += dump({{"status", "success"}, {"data", std::move(data)}}) + "\n";
}

void write_images(AnswerWriter& out, const Fleet& fleet, WallTime now) {
  write_list(out, fleet.views, [&](std::string& text, const ViewPtr& view) {
    text += dump(image_json(*view, *fleet.account_names, now));
  });
}

void write_drift(AnswerWriter& out, const Fleet& fleet) {
  std::vector<std::pair<const ImageView*, const DriftView*>> open;
  for (const ViewPtr& view : fleet.views) {
    for (const DriftView& drift : view->drifts)
      open.emplace_back(view.get(), &drift);
  }
  write_list(out, open, [&fleet](std::string& text, const auto& entry) {
    const auto& [view, drift] = entry;
    const ImagePolicy& policy = *view->policy;
    Json json{{"image_id", policy.id.str()},
              {"image_name", outside(policy.name)},
              {"canary", policy.canary},
              {"unwatched_since", time(view->unwatched_since)}};
    json.update(drift_json(*drift, *fleet.account_names));
    text += dump(json);
  });
}

void write_events(AnswerWriter& out, const std::vector<Event>& events) {
  write_list(out, events,
             [](std::string& text, const Event& event) { append_record(text, LogFormat::json, event); });
}

std::string json_error(std::string_view type, std::string_view message) {
  return dump({{"status", "error"}, {"errorType", type}, {"error", message}}) + "\n";
}

}  // namespace sharedrift
