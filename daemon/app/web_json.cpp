#include "app/web_json.hpp"

#include "core/text.hpp"

#include <nlohmann/json.hpp>

namespace sharedrift {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}
Json or_null(const std::optional<WallTime>& time) {
  return time ? Json(format_rfc3339(*time)) : Json(nullptr);
}

Json name_of(const AccountId& account, const AccountNames& names) {
  const auto found = names.find(account);
  return found == names.end() ? Json("") : Json(found->second);
}

Json drift_json(const DriftView& drift, const AccountNames& names) {
  return {{"account_id", std::string{drift.account.str()}},
          {"account_name", name_of(drift.account, names)},
          {"kind", std::string{to_string(drift.kind)}},
          {"since", format_rfc3339(drift.since)},
          {"not_before", or_null(drift.not_before)},
          {"first_seen", or_null(drift.first_seen)},
          {"last_seen", or_null(drift.last_seen)},
          {"clearing", drift.clearing},
          {"held", drift.held},
          {"first_run", drift.first_run}};
}

Json failure_json(const std::optional<Failure>& failure) {
  if (!failure) return nullptr;
  return {{"reason", std::string{to_string(failure->reason)}},
          {"detail", failure->detail},
          {"code", failure->code},
          {"http_status", failure->http_status},
          {"request_id", failure->request_id}};
}

Json image_json(const ImageView& view, const AccountNames& names) {
  const ImagePolicy& policy = *view.policy;
  Json json{{"image_id", policy.id.str()},
            {"image_name", policy.name},
            {"team", policy.team},
            {"severity", policy.severity},
            {"profile", policy.profile},
            {"canary", policy.canary},
            {"state", std::string{to_string(view.state)}},
            {"state_since", or_null(view.state_since)},
            {"listing_complete", view.listing_complete},
            {"last_complete", or_null(view.last_complete)},
            {"last_attempt", or_null(view.last_attempt)},
            {"interval_seconds", std::chrono::duration<double>(policy.interval).count()},
            {"shared_accounts", or_null(view.shared_accounts)},
            {"allowed_accounts", view.allowed_accounts},
            {"unexpected_accounts", or_null(view.unexpected_accounts)},
            {"missing_accounts", or_null(view.missing_accounts)},
            {"unlisted_accounts", or_null(view.unlisted_accounts)},
            {"unused_entries", or_null(view.unused_entries)},
            {"last_failure", failure_json(view.last_failure)}};
  Json drifts = Json::array();
  for (const DriftView& drift : view.drifts)
    drifts.push_back(drift_json(drift, names));
  json["drift"] = std::move(drifts);
  return json;
}

Json value_json(const FieldValue& value) {
  return std::visit(
      [](const auto& v) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, WallTime>) {
          return format_rfc3339(v);
        } else {
          return v;
        }
      },
      value);
}

}  // namespace

std::string json_image(const ImageView& view, const AccountNames& names) {
  Json json = image_json(view, names);
  Json accounts = Json::array();
  for (const AccountId& account : view.sightings) {
    accounts.push_back(
        {{"account_id", std::string{account.str()}}, {"account_name", name_of(account, names)}});
  }
  json["accounts"] = std::move(accounts);
  return dump(json);
}

std::string json_images(const Fleet& fleet) {
  Json images = Json::array();
  for (const ViewPtr& view : fleet.views)
    images.push_back(image_json(*view, *fleet.account_names));
  return dump(images);
}

std::string json_drift(const Fleet& fleet) {
  Json list = Json::array();
  for (const ViewPtr& view : fleet.views) {
    for (const DriftView& drift : view->drifts) {
      Json entry{{"image_id", view->policy->id.str()}, {"image_name", view->policy->name}};
      entry.update(drift_json(drift, *fleet.account_names));
      list.push_back(std::move(entry));
    }
  }
  return dump(list);
}

std::string json_events(const std::vector<Event>& events) {
  Json list = Json::array();
  for (const Event& event : events) {
    Json entry{{"ts", format_rfc3339(event.at)},
               {"level", std::string{to_string(level_of(event.type))}},
               {"event", std::string{to_string(event.type)}}};
    if (!event.image_id.empty()) entry["image_id"] = event.image_id;
    for (const Field& field : event.fields)
      entry[field.key] = value_json(field.value);
    list.push_back(std::move(entry));
  }
  return dump(list);
}

std::string json_success(const std::string& data) {
  return R"({"status":"success","data":)" + data + "}\n";
}

std::string json_error(std::string_view type, std::string_view message) {
  std::string out = R"({"status":"error","errorType":)";
  append_json_string(out, type);
  out += ",\"error\":";
  append_json_string(out, message);
  return out + "}\n";
}

}  // namespace sharedrift
