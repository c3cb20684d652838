#include "credentials/chain.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace sharedrift {

namespace {

/// A source that is one place.
struct Source {
  CredentialKind kind;
  std::string_view origin;
  Finding (*look)(const CredentialSpec& options, Sight& sight);
  bool in_default_chain;
};
/// In the order of the default chain.
constexpr std::array kSources{
    Source{CredentialKind::environment, "environment", look_environment, true},
    Source{CredentialKind::oidc_role, "oidc_role", look_oidc_role, true},
    Source{CredentialKind::cli_profile, "cli_profile", look_cli_profile, true},
    Source{CredentialKind::profile_ini, "profile_ini", look_profile_ini, true},
    Source{CredentialKind::ecs_ram_role, "ecs_ram_role", look_ecs_ram_role, true},
    Source{CredentialKind::credentials_uri, "credentials_uri", look_credentials_uri, true},
    Source{CredentialKind::static_file, "static_file", look_static_file, false},
};

std::string describe(const Outlook::Skipped& skipped) {
  return std::string{skipped.origin} + " (" + skipped.why + ")";
}

/// The role a `ram_role` source assumes, with the chain of its base inside.
Finding look_ram_role(const CredentialSpec& options, const std::shared_ptr<Chain>& base, Sight& sight) {
  auto role = role_request(options, sight);
  if (!role) return Broken{std::move(role).error()};
  Outlook outlook = base->look();
  sight.watched.insert(sight.watched.end(), outlook.watched.begin(), outlook.watched.end());
  if (outlook.ways.empty()) {
    Result<Credentials, Failure> none = base->obtain(outlook, {});
    return Broken{"the key that assumes the role: " + std::move(none).error().detail};
  }
  Remote key{[base](const std::stop_token& stop) { return base->obtain(base->look(), stop); }, false,
             [base] { return joined(base->local_faults(), "; "); }};
  return assume_role(std::move(*role), std::move(key), sight.world);
}

}  // namespace

Chain::Chain(const CredentialSpec& options, const CredentialWorld& world) : world_(world) {
  const bool any = options.source == CredentialKind::default_chain;
  for (const Source& source : kSources) {
    if (source.kind != options.source && !(any && source.in_default_chain)) continue;
    places_.push_back({source.origin, [options, look = source.look](Sight& s) { return look(options, s); }});
  }
  if (options.source == CredentialKind::ram_role) {
    const auto base =
        std::make_shared<Chain>(options.from.empty() ? CredentialSpec{} : options.from.front(), world_);
    places_.push_back({"ram_role", [options, base](Sight& s) { return look_ram_role(options, base, s); }});
  }
  last_usable_ = places_.size() - 1;
}

Outlook Chain::look() const {
  Outlook outlook;
  Sight sight{world_};
  for (std::size_t rank = 0; rank <= last_usable_ && rank < places_.size(); ++rank) {
    const Place& place = places_[rank];
    Finding finding = place.look(sight);
    if (auto* absent = std::get_if<Absent>(&finding)) {
      outlook.skipped.push_back({rank, place.origin, std::move(absent->why), false});
    } else if (auto* broken = std::get_if<Broken>(&finding)) {
      outlook.skipped.push_back({rank, place.origin, std::move(broken->why), true});
    } else if (auto* remote = std::get_if<Remote>(&finding)) {
      outlook.ways.push_back({rank, place.origin, std::move(*remote)});
    } else {
      outlook.ways.push_back({rank, place.origin, std::get<Credentials>(std::move(finding))});
      break;  // what is after a key that is at hand is never needed
    }
  }
  outlook.watched = std::move(sight.watched);
  return outlook;
}

std::vector<std::string> Chain::local_faults() const {
  const Outlook outlook = look();
  std::vector<std::string> faults;
  for (const Outlook::Skipped& skipped : outlook.skipped) {
    if (skipped.news || outlook.ways.empty()) faults.push_back(describe(skipped));
  }
  for (const Outlook::Way& way : outlook.ways) {
    const auto* remote = std::get_if<Remote>(&way.what);
    std::string fault = remote == nullptr   ? std::get<Credentials>(way.what).warning
                        : remote->preflight ? remote->preflight()
                                            : "";
    if (!fault.empty()) faults.push_back(std::string{way.origin} + " (" + fault + ")");
  }
  return faults;
}

Result<Credentials, Failure> Chain::obtain(const Outlook& outlook, const std::stop_token& stop) {
  std::vector<Outlook::Skipped> tried = outlook.skipped;
  Failure last = credential_failure("");
  for (const Outlook::Way& way : outlook.ways) {
    Result<Credentials, Failure> got = Err(Failure{});
    bool guessed = false;
    if (const auto* remote = std::get_if<Remote>(&way.what)) {
      got = remote->obtain(stop);
      guessed = remote->guessed;
    } else {
      got = std::get<Credentials>(way.what);
    }
    const WallTime now = world_.clock.wall();
    if (got && got->expires && *got->expires <= now) {
      got = Err(credential_failure("what it gives expired at " + format_rfc3339(*got->expires) + "; it is " +
                                   format_rfc3339(now) + " here: renew it, or set the clock"));
    }
    if (stop.stop_requested()) return Err(credential_failure("stopped"));
    if (got) {
      last_usable_ = way.rank;
      got->origin = way.origin;
      for (const Outlook::Skipped& skipped : tried) {
        if (!skipped.news) continue;
        if (!got->warning.empty()) got->warning += "; ";
        got->warning += "not used: " + describe(skipped);
      }
      return got;
    }
    last = std::move(got).error();
    tried.push_back({way.rank, way.origin, last.detail, !guessed});
  }
  return Err(failure_of(std::move(tried), std::move(last)));
}

Failure Chain::failure_of(std::vector<Outlook::Skipped> tried, Failure last) const {
  Failure failure = std::move(last);
  failure.reason = Reason::credentials;
  if (places_.size() == 1) {
    failure.detail = "no credentials from " + std::string{tried.back().origin} + ": " + tried.back().why;
    return failure;
  }
  std::stable_sort(tried.begin(), tried.end(),
                   [](const Outlook::Skipped& a, const Outlook::Skipped& b) { return a.rank < b.rank; });
  failure.detail = "no credentials; tried";
  for (const Outlook::Skipped& skipped : tried)
    failure.detail += (&skipped == &tried.front() ? " " : ", ") + describe(skipped);
  failure.detail += ". Set one of them up, or name the one you mean as credentials.source";
  return failure;
}

}  // namespace sharedrift
