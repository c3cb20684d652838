#include "doctor/examination.hpp"

#include "aliyun/answer.hpp"
#include "config/endpoint.hpp"
#include "http_client/proxy_environment.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {

using Answer = DoctorAnswer;

/// Which stage of the way to the API a failure of the transport belongs to.
std::string_view stage_of(Reason reason) {
  switch (reason) {
    case Reason::dns: return "DNS";
    case Reason::tls: return "TLS";
    case Reason::proxy: return "proxy";
    default: return "connection";
  }
}

Answer on_the_way(const DoctorReply& first, std::string_view stage, std::string seen) {
  if (!first.broken) return {Standing::as_assumed, std::move(seen)};
  if (stage_of(first.broken->reason) != stage) return {Standing::not_seen, "not reached"};
  return {Standing::blind, first.why(), "no image can be read",
          stage == "DNS" ? "check the endpoint and this machine's resolver, or set a proxy" : ""};
}

/// What goes through which proxy; a proxy that is set and not used explains much.
Answer look_at_proxy(const ProfileConfig& profile, const DoctorReply& first) {
  const Url endpoint = parse_url(profile.endpoint).value();
  const auto found = environment_proxy(endpoint, process_variable);
  const std::string variable = found ? found->variable : found.error();
  std::string seen = "none is used";
  if (!profile.proxy_url.empty()) seen = "through " + masked_url(profile.proxy_url);
  if (profile.proxy_from_environment && found && !variable.empty())
    seen = "through " + masked_url(found->url) + ", from " + variable;
  Answer answer = on_the_way(first, "proxy", seen);
  const bool unused = profile.proxy_url.empty() && !profile.proxy_from_environment && !variable.empty();
  if (!unused || answer.standing == Standing::blind) return answer;
  return {Standing::differs, variable + " is set, and not used", "requests go to the endpoint directly",
          "set proxy_from_environment: true, or proxy_url, if there is no direct way"};
}

Answer look_at_clock(const DoctorSession& session, const DoctorReply& first) {
  constexpr Millis kSmall{60'000};
  const auto skew = session.skew();
  if (!skew) return {Standing::not_seen, first.came() ? "the answer has no Date header" : "not reached"};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*skew).count();
  const std::string seen =
      "the API's clock is " + std::to_string(std::abs(seconds)) + " s " + (seconds < 0 ? "behind" : "ahead");
  if (first.error && first.reason() == Reason::clock_skew)
    return {Standing::blind, seen + "; " + first.why(), "no image can be read", "set this machine's clock"};
  if (*skew <= kSmall && *skew >= -kSmall) return {Standing::as_assumed, "within a minute"};
  return {Standing::differs, seen, "requests are signed with the API's time", "set this machine's clock"};
}

Answer look_at_key(const Result<Credentials, Failure>& credentials) {
  if (!credentials) {
    return {Standing::blind, credentials.error().detail, "nothing is sent, and no image is read",
            "see config/credentials.md"};
  }
  if (credentials->warning.empty()) return {Standing::as_assumed, "a key from " + credentials->origin};
  return {Standing::differs, "a key from " + credentials->origin + "; " + credentials->warning,
          "the key is used"};
}

Answer look_at_identity(DoctorSession& session) {
  const auto& owner = session.profile().owner_account;
  const DoctorReply reply = session.ask_sts("GetCallerIdentity");
  const auto account =
      reply.good() ? decode_caller_identity(reply.root()) : Result<AccountId, Failure>(Err(Failure{}));
  if (!account) {
    const std::string seen =
        "STS does not tell whose key it is: " + (reply.good() ? "no AccountId" : reply.why());
    if (owner) return {Standing::blind, seen, "no image is judged with a key whose owner is not known"};
    return {Standing::differs, seen, "none, as owner_account is not set"};
  }
  const std::string seen = "the key belongs to account " + std::string{account->str()};
  if (!owner)
    return {Standing::as_assumed, seen + "; owner_account is not set, so any account's key would be taken"};
  if (*owner == *account) return {Standing::as_assumed, seen + ", as owner_account says"};
  return {Standing::blind, seen + ", owner_account is " + std::string{owner->str()},
          "no image is judged with a key of another account", "use the right key, or correct owner_account"};
}

/// The ids that the configuration names and a page of the inventory lacks.
std::vector<std::string> lacking(const Config& config, const std::string& profile, const JsonValue& page) {
  const std::vector<std::string> owned = own_images(page);
  std::vector<std::string> out;
  for (const auto& policy : config.images) {
    const std::string id = policy->id.str();
    if (policy->profile == profile && std::find(owned.begin(), owned.end(), id) == owned.end())
      out.push_back(id);
  }
  return out;
}

/// Whether this endpoint knows the configured images: what tells of another region's endpoint or another
/// account's key where no answer names either.
Answer look_at_images(DoctorSession& session, const Config& config, const DoctorReply& inventory) {
  if (!inventory.good()) return not_asked(inventory);
  const std::string& profile = session.profile().name;
  const auto named = std::count_if(config.images.begin(), config.images.end(),
                                   [&profile](const auto& policy) { return policy->profile == profile; });
  std::vector<std::string> missing = lacking(config, profile, inventory.root());
  if (named == 0) return {Standing::not_seen, "the configuration names none"};
  if (missing.empty()) return {Standing::as_assumed, "its inventory lists all " + std::to_string(named)};
  const auto rows = static_cast<std::int64_t>(rows_of_inventory(inventory.root()));
  if (rows >= kDoctorPage || number_in(inventory.root(), "TotalCount").value_or(rows) > rows) {
    const DoctorReply one = ask_inventory_for(session, missing.front());
    if (!one.good()) return not_asked(one);
    const std::vector<std::string> found = own_images(one.root());
    if (std::find(found.begin(), found.end(), missing.front()) != found.end())
      return {Standing::as_assumed, "its inventory is longer than a page, and lists " + missing.front()};
    missing.resize(1);
  }
  const bool all = static_cast<std::ptrdiff_t>(missing.size()) == named;
  return {all ? Standing::blind : Standing::differs,
          "its inventory lacks " + missing.front() +
              (missing.size() == 1 ? "" : " and " + std::to_string(missing.size() - 1) + " more") +
              (all ? ", and lists no configured image" : ""),
          "such an image is told as gone, never as in sync",
          "an id that is mistyped or deleted, another account's key, or the other region's endpoint: "
          "Singapore's images are at https://ens.ap-southeast-1.aliyuncs.com, all others at "
          "https://ens.aliyuncs.com"};
}

/// The first configured image that the account owns, else the first it owns, else the first configured.
std::string choose_image(const Config& config, const std::string& profile, const DoctorReply& inventory) {
  const std::vector<std::string> owned =
      inventory.good() ? own_images(inventory.root()) : std::vector<std::string>{};
  std::string configured;
  for (const auto& policy : config.images) {
    if (policy->profile != profile) continue;
    if (configured.empty()) configured = policy->id.str();
    if (std::find(owned.begin(), owned.end(), policy->id.str()) != owned.end()) return policy->id.str();
  }
  return owned.empty() ? configured : owned.front();
}

}  // namespace

Examination examine(const Config& config, const std::string& image, DoctorSession& session,
                    const std::stop_token& stop) {
  Examination found;
  const ProfileConfig& profile = session.profile();
  const auto add = [&found](std::string_view name, std::string_view assumed, Answer answer) {
    found.diagnoses.push_back({std::string{name}, std::string{assumed}, std::move(answer)});
    return found.diagnoses.back().answer.standing;
  };
  add("config", "it is valid",
      {Standing::as_assumed,
       std::to_string(config.images.size()) + (config.images.size() == 1 ? " image" : " images")});
  const auto credentials = session.wait_for_credentials(stop);
  DoctorFacts facts;
  bool reached = add("credentials", "the source gives a key", look_at_key(credentials)) != Standing::blind;
  if (reached) {
    const bool https = profile.endpoint.starts_with("https://");
    facts.inventory = ask_inventory(session, kDoctorPage);
    const DoctorReply& first = facts.inventory;
    add("clock", "it agrees with the API's", look_at_clock(session, first));
    add("DNS", "the endpoint's name is found", on_the_way(first, "DNS", "found, by us or by the proxy"));
    add("connection", "the endpoint answers", on_the_way(first, "connection", "it answers"));
    add("TLS", "the endpoint's certificate is trusted",
        on_the_way(first, "TLS", https ? "trusted" : "plain HTTP, on this machine"));
    add("proxy", "what is set is used", look_at_proxy(profile, first));
    reached = first.came() && first.reason() != Reason::clock_skew;
    if (first.error && first.reason() == Reason::key_rejected) {
      add("key", "the API takes it", {Standing::blind, first.why(), "no image can be read"});
      reached = false;
    }
  }
  if (reached) {
    add("identity", "the key is the right account's", look_at_identity(session));
    add("configured images", "the endpoint knows them", look_at_images(session, config, facts.inventory));
    facts.image = image.empty() ? choose_image(config, profile.name, facts.inventory) : image;
  }
  for (const auto questions : {doctor_questions(), inventory_questions()}) {
    for (const DoctorQuestion& question : questions) {
      const bool ask = reached && !stop.stop_requested();
      add(question.name, question.assumed,
          ask ? question.ask(session, facts) : Answer{Standing::not_seen, "not reached"});
    }
  }
  found.behaviour = std::move(facts.behaviour);
  found.requests = session.requests();
  return found;
}

}  // namespace sharedrift
