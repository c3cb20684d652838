#include "web/web_json.hpp"

#include "core/text.hpp"
#include "log/log_record.hpp"
#include "metrics/page_writer.hpp"

#include <cstdint>
#include <optional>

namespace sharedrift {

namespace {

/// Writes the members of one object. Keys are ours.
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;
  ~JsonObject() { out_ += '}'; }

  std::string& key(std::string_view name) {
    out_ += out_.back() == '{' ? "\"" : ",\"";
    out_.append(name).append("\":");
    return out_;
  }
  void text(std::string_view name, std::string_view value) { append_json_string(key(name), value); }
  /// Of a person or a server: readers put it in front of people.
  void outside_text(std::string_view name, std::string_view value) { text(name, clean(value, kLongest)); }
  void boolean(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }
  void number(std::string_view name, std::int64_t value) { key(name) += std::to_string(value); }
  void number(std::string_view name, const std::optional<std::int64_t>& value) {
    if (value) return number(name, *value);
    key(name) += "null";
  }
  void time(std::string_view name, const std::optional<WallTime>& value) {
    if (value) return text(name, format_rfc3339(*value));
    key(name) += "null";
  }
  /// `append` writes one item; nothing of it ends in a comma or a bracket that opens.
  template <class Items, class Append>
  void list(std::string_view name, const Items& items, Append append) {
    key(name) += '[';
    bool first = true;
    for (const auto& item : items) {
      if (!first) out_ += ',';
      first = false;
      append(item);
    }
    out_ += ']';
  }

 private:
  static constexpr std::size_t kLongest = 300;
  std::string& out_;
};

void add_account(JsonObject& json, const AccountId& account, const AccountNames& names) {
  json.text("account_id", account.str());
  const auto name = names.find(account);
  json.outside_text("account_name",
                    name == names.end() ? std::string_view{} : std::string_view{name->second});
}

void add_drift(JsonObject& json, const DriftView& drift, const AccountNames& names) {
  add_account(json, drift.account, names);
  json.text("kind", to_string(drift.kind));
  json.time("since", drift.since);
  json.time("not_before", drift.not_before);
  json.time("first_seen", drift.first_seen);
  json.time("last_seen", drift.last_seen);
  json.boolean("clearing", drift.clearing);
  json.boolean("held", drift.held);
  json.boolean("first_run", drift.first_run);
}

void add_failure(JsonObject& json, const std::shared_ptr<const Failure>& failure) {
  std::string& out = json.key("last_failure");
  if (!failure) {
    out += "null";
    return;
  }
  JsonObject inner(out);
  inner.text("reason", to_string(failure->reason));
  inner.outside_text("detail", failure->detail);
  inner.outside_text("code", failure->code);
  inner.number("http_status", failure->http_status);
  inner.outside_text("request_id", failure->request_id);
}

void add_image(JsonObject& json, const ImageView& view, const AccountNames& names, const JudgingAt& at) {
  const ImagePolicy& policy = *view.policy;
  const Judgement judgement = judge(view, at);
  json.text("image_id", policy.id.str());
  json.outside_text("image_name", policy.name);
  json.outside_text("team", policy.team);
  json.outside_text("severity", policy.severity);
  json.text("profile", policy.profile);
  json.boolean("canary", policy.canary);
  json.text("verdict", to_string(judgement.verdict));
  json.text("why", judgement.why);
  json.boolean("stale", judgement.stale);
  json.text("state", to_string(view.state));
  json.time("state_since", view.state_since);
  json.boolean("listing_complete", view.listing_complete);
  json.time("last_complete", view.last_complete);
  json.time("last_attempt", view.last_attempt);
  append_number(json.key("interval_seconds"), std::chrono::duration<double>(policy.interval).count());
  json.number("shared_accounts", view.shared_accounts);
  json.number("allowed_accounts", static_cast<std::int64_t>(view.allowed_accounts));
  json.number("unexpected_accounts", view.unexpected_accounts);
  json.number("unexpected_accounts_min", view.unexpected_accounts_min);
  json.number("missing_accounts", view.missing_accounts);
  json.number("unlisted_accounts", view.unlisted_accounts);
  json.number("unused_entries", view.unused_entries);
  std::string& out = json.key("counters");
  {
    JsonObject counters(out);
    counters.number("listings", static_cast<std::int64_t>(view.counters.listings));
    counters.number("failures", static_cast<std::int64_t>(view.counters.failures));
    counters.number("flaps", static_cast<std::int64_t>(view.counters.flaps));
  }
  add_failure(json, view.last_failure);
  json.list("drift", view.drifts, [&out, &names](const DriftView& drift) {
    JsonObject item(out);
    add_drift(item, drift, names);
  });
}

std::string_view grant_name(Grant grant) {
  switch (grant) {
    case Grant::none: return "none";
    case Grant::required: return "required";
    case Grant::allowed: return "allowed";
    case Grant::exception: return "exception";
  }
  return "";
}

}  // namespace

void append_image_json(std::string& out, const ImageView& view, const AccountNames& names,
                       const JudgingAt& at) {
  JsonObject json(out);
  add_image(json, view, names, at);
  json.list("accounts", view.sightings, [&](const AccountId& account) {
    JsonObject item(out);
    add_account(item, account, names);
    item.text("grant", grant_name(grant_of(*view.policy, account, at.now)));
  });
  json.list("exceptions", view.policy->exceptions, [&](const Exception& exception) {
    JsonObject item(out);
    add_account(item, exception.account, names);
    item.time("expires", exception.expires);
    item.outside_text("owner", exception.owner);
    item.outside_text("ticket", exception.ticket);
    item.outside_text("reason", exception.reason);
  });
}

void append_images_json(std::string& out, const Fleet& fleet, const JudgingAt& at) {
  out += '[';
  for (const ViewPtr& view : fleet.views) {
    if (out.back() != '[') out += ',';
    JsonObject json(out);
    add_image(json, *view, *fleet.account_names, at);
  }
  out += ']';
}

void append_drift_json(std::string& out, const Fleet& fleet) {
  out += '[';
  for (const ViewPtr& view : fleet.views) {
    for (const DriftView& drift : view->drifts) {
      if (out.back() != '[') out += ',';
      JsonObject json(out);
      json.text("image_id", view->policy->id.str());
      json.outside_text("image_name", view->policy->name);
      json.boolean("canary", view->policy->canary);
      add_drift(json, drift, *fleet.account_names);
    }
  }
  out += ']';
}

void append_events_json(std::string& out, const std::vector<Event>& events) {
  out += '[';
  for (const Event& event : events) {
    if (out.back() != '[') out += ',';
    append_record(out, LogFormat::json, event);
  }
  out += ']';
}

std::string json_error(std::string_view type, std::string_view message) {
  std::string out;
  {
    JsonObject json(out);
    json.text("status", "error");
    json.text("errorType", type);
    json.text("error", message);
  }
  return out + "\n";
}

}  // namespace sharedrift
