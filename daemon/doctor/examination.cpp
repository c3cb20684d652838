#include "doctor/examination.hpp"

#include "aliyun/answer.hpp"
#include "config/endpoint.hpp"
#include "config/yaml_reader.hpp"
#include "http_client/proxy_environment.hpp"

#include <algorithm>
#include <iterator>
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

/// `proxy`: through which requests go; empty: none.
Answer on_the_way(const DoctorReply& first, std::string_view stage, std::string seen,
                  const std::string& proxy) {
  if (!first.broken) return {Standing::as_assumed, std::move(seen)};
  if (stage_of(first.broken->reason) != stage) return {Standing::not_seen, "not reached"};
  if (proxy.empty() || stage == "proxy")
    return {Standing::blind, first.why(), "no image can be read", first.cure()};
  return {Standing::blind, first.why() + ", on the way through the proxy " + proxy, "no image can be read",
          "check the proxy, through which everything goes, then the endpoint"};
}

/// The proxy through which requests go; empty: none.
std::string proxy_of(const ProfileConfig& profile) {
  const auto found = environment_proxy(parse_url(profile.endpoint).value(), process_variable);
  if (profile.proxy_from_environment && found && !found->variable.empty())
    return masked_url(found->url) + ", from " + found->variable;
  return profile.proxy_url.empty() ? "" : masked_url(profile.proxy_url);
}

/// What goes through which proxy; a proxy that is set and not used explains much.
Answer look_at_proxy(const ProfileConfig& profile, const DoctorReply& first) {
  const auto found = environment_proxy(parse_url(profile.endpoint).value(), process_variable);
  const std::string variable = found ? found->variable : found.error();
  const std::string proxy = proxy_of(profile);
  Answer answer = on_the_way(first, "proxy", proxy.empty() ? "none is used" : "through " + proxy, proxy);
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
  std::string seen = "a key from " + credentials->origin;
  if (credentials->expires) seen += ", which ends at " + format_rfc3339(*credentials->expires);
  if (credentials->warning.empty()) return {Standing::as_assumed, seen};
  return {Standing::differs, seen + "; " + credentials->warning, "the key is used"};
}

Answer look_at_identity(DoctorSession& session) {
  const auto& owner = session.profile().owner_account;
  const DoctorReply reply = session.ask_sts("GetCallerIdentity");
  const auto account =
      reply.good() ? decode_caller_identity(reply.root()) : Result<AccountId, Failure>(Err(Failure{}));
  if (!account) {
    const std::string why = reply.good() ? "no AccountId" : owner ? reply.why() : reply.brief();
    const std::string seen = "STS does not tell whose key it is: " + why;
    if (!owner) return {Standing::not_seen, seen + "; nothing depends on it, as owner_account is not set"};
    return {Standing::blind, seen, "no image is judged with a key whose owner is not known",
            reply.good() ? kReportIt : reply.cure()};
  }
  const std::string seen = "the key belongs to account " + std::string{account->str()};
  if (owner && *owner != *account) {
    return {Standing::blind, seen + ", owner_account is " + std::string{owner->str()},
            "no image is judged with a key of another account",
            "use a key of owner_account, or correct owner_account"};
  }
  if (reply.root().string("IdentityType") == "Account") {
    return {Standing::differs, seen + ", and is the account's own (root) key",
            "the key is used, and who gets hold of it can do everything in the account",
            "make a RAM user with the policy of ram-policy.json, and use a key of that user"};
  }
  if (owner) return {Standing::as_assumed, seen + ", as owner_account says"};
  return {Standing::as_assumed, seen + "; owner_account is not set, so any account's key would be taken"};
}

/// The ids that are asked about: the one that was named, or those that the configuration names for a profile.
std::vector<std::string> named_images(const Config& config, const std::string& profile,
                                      const std::string& image) {
  if (!image.empty()) return {image};
  std::vector<std::string> out;
  for (const auto& policy : config.images) {
    if (policy->profile == profile) out.push_back(policy->id.str());
  }
  return out;
}

bool has(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

constexpr const char* kElsewhere =
    "use a key of the account that owns the images, not of another account, and the endpoint of their "
    "region: "
    "https://ens.ap-southeast-1.aliyuncs.com for Singapore, https://ens.aliyuncs.com for all others";
constexpr const char* kNeverInSync = "such an image is never called in sync: its state is gone";

/// What is to be done about ids that the inventory lacks, where it has others.
std::string cure_for(const std::vector<std::string>& missing, const std::vector<std::string>& named,
                     const std::vector<std::string>& owned) {
  std::vector<std::string_view> free;  // an image that has an entry is hardly meant by another one
  for (const std::string& id : owned) {
    if (!has(named, id)) free.push_back(id);
  }
  const std::string_view near = nearest(missing.front(), free);
  std::string cure = "correct the id";
  if (!near.empty()) cure.append(": write ").append(near).append(" in place of ").append(missing.front());
  if (missing.size() > 1) cure += " (lint --online names all of them)";
  return cure + ", or take the entry out if the image was deleted";
}

/// Whether this endpoint knows the images: what tells of another region's endpoint or another account's key
/// where no answer names either.
Answer look_at_images(DoctorSession& session, const std::vector<std::string>& named,
                      const DoctorReply& inventory, std::int64_t page_size) {
  if (!inventory.good()) return not_asked(inventory);
  const std::vector<std::string> owned = own_images(inventory.root());
  const bool longer = goes_on(inventory.root());
  if (owned.empty() && !longer) {
    return {Standing::blind, "the account of this key owns no image at " + session.profile().endpoint,
            named.empty() ? "there is nothing to watch" : kNeverInSync, kElsewhere};
  }
  if (named.empty()) return {Standing::not_seen, "the configuration names none"};
  std::vector<std::string> missing;
  std::copy_if(named.begin(), named.end(), std::back_inserter(missing),
               [&owned](const std::string& id) { return !has(owned, id); });
  if (missing.empty()) {
    const auto all =
        number_in(inventory.root(), "TotalCount").value_or(static_cast<std::int64_t>(owned.size()));
    return {Standing::as_assumed, "its inventory lists " + counted(named.size(), "configured image") +
                                      ", of " + std::to_string(all)};
  }
  if (longer) {
    const DoctorReply one = ask_inventory_for(session, missing.front(), page_size);
    if (!one.good()) return not_asked(one);
    if (has(own_images(one.root()), missing.front()))
      return {Standing::as_assumed, "its inventory is longer than a page, and lists " + missing.front()};
    const std::size_t alike = rows_of_inventory(one.root());
    if (goes_on(one.root()) && alike >= static_cast<std::size_t>(page_size)) {
      return {Standing::not_seen,
              "more than " + std::to_string(alike - 1) + " ids contain the text of " + missing.front()};
    }
    missing.resize(1);
  }
  const bool all = missing.size() == named.size();
  const std::string others =
      missing.size() == 1 ? "" : " and " + std::to_string(missing.size() - 1) + " more";
  if (!all || named.size() == 1) {
    return {all ? Standing::blind : Standing::differs,
            "its inventory does not list " + missing.front() + others, kNeverInSync,
            cure_for(missing, named, owned)};
  }
  return {Standing::blind,
          "its inventory lists none of the " + std::to_string(named.size()) + " images: not " +
              missing.front() + others,
          kNeverInSync, std::string{kElsewhere} + "; or correct the ids"};
}

/// Those of `named` that the account owns, else those that it owns, else all that are named.
std::vector<std::string> images_to_ask(const std::vector<std::string>& named, const DoctorReply& inventory) {
  std::vector<std::string> owned =
      inventory.good() ? own_images(inventory.root()) : std::vector<std::string>{};
  std::vector<std::string> both;
  std::copy_if(named.begin(), named.end(), std::back_inserter(both),
               [&owned](const std::string& id) { return has(owned, id); });
  if (both.empty() && !owned.empty()) return owned;
  return both.empty() ? named : both;
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
       config.images.empty() ? "it names no image" : counted(config.images.size(), "image")});
  const auto credentials = session.wait_for_credentials(stop);
  DoctorFacts facts;
  bool reached = add("credentials", "the source gives a key", look_at_key(credentials)) != Standing::blind;
  if (reached) {
    const std::string proxy = proxy_of(profile);
    const std::string host = parse_url(profile.endpoint).value().host;
    const bool is_address = host.find_first_not_of("0123456789.") == host.npos || host.find(':') != host.npos;
    const bool https = profile.endpoint.starts_with("https://");
    facts.inventory = ask_first_images(session, facts.inventory_page);
    const DoctorReply& first = facts.inventory;
    add("clock", "it agrees with the API's", look_at_clock(session, first));
    add("DNS", "the endpoint's name is found",
        on_the_way(first, "DNS",
                   is_address ? "not needed: the endpoint is an address" : "found, by us or by the proxy",
                   proxy));
    add("connection", "the endpoint answers", on_the_way(first, "connection", "it answers", proxy));
    add("TLS", "the endpoint's certificate is trusted",
        on_the_way(first, "TLS", https ? "trusted" : "plain HTTP, on this machine", ""));
    add("proxy", "what is set is used", look_at_proxy(profile, first));
    reached = first.came() && first.reason() != Reason::clock_skew;
    if (first.error && first.reason() == Reason::key_rejected) {
      add("key", "the API takes it", {Standing::blind, first.why(), "no image can be read", first.cure()});
      reached = false;
    }
  }
  if (reached) {
    add("identity", "the key is the right account's", look_at_identity(session));
    const std::vector<std::string> named = named_images(config, profile.name, image);
    add("configured images", "the endpoint knows them",
        look_at_images(session, named, facts.inventory, facts.inventory_page));
    facts.images = image.empty() ? images_to_ask(named, facts.inventory) : named;
  }
  for (const auto questions : {doctor_questions(), inventory_questions()}) {
    for (const DoctorQuestion& question : questions) {
      Answer answer{Standing::not_seen, "not reached"};
      if (reached && !stop.stop_requested()) {
        const bool lacks = question.needs != nullptr && !(facts.*question.needs).good();
        answer = lacks ? not_asked(facts.*question.needs) : question.ask(session, facts);
      }
      add(question.name, question.assumed, std::move(answer));
    }
  }
  found.behaviour = std::move(facts.behaviour);
  found.requests = session.requests();
  return found;
}

}  // namespace sharedrift
