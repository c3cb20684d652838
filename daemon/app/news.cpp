#include "app/news.hpp"

#include "core/enumerators.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

void CredentialNews::on_failure(std::string_view profile, Reason reason) {
  next_.on_failure(profile, reason);
  const bool refused =
      reason == Reason::forbidden || reason == Reason::key_rejected || reason == Reason::owner_mismatch;
  if (!refused) return;
  const std::lock_guard lock(mutex_);
  const auto told = told_.find(profile);
  if (told != told_.end()) told->second.refused = to_string(reason);
}

void CredentialNews::on_credentials(std::string_view profile, const Credentials& credentials) {
  next_.on_credentials(profile, credentials);
  std::string gist = credentials.warning;
  gist.erase(std::remove_if(gist.begin(), gist.end(), [](char c) { return c >= '0' && c <= '9'; }),
             gist.end());

  const std::lock_guard lock(mutex_);
  Told& told = told_.try_emplace(std::string{profile}).first->second;
  const std::vector<Field> who{{"profile", std::string{profile}}, {"source", credentials.origin}};
  const bool fresh = told.generation != credentials.generation || told.origin != credentials.origin;
  if (fresh) {
    const bool as_always = told.origin == credentials.origin && told.refused.empty();
    std::vector<Field> fields = who;
    if (credentials.expires) fields.push_back({"expires", *credentials.expires});
    if (!told.refused.empty()) fields.push_back({"after", told.refused});
    tell_(as_always ? EventType::credentials_renewed : EventType::credentials_changed, std::move(fields));
  }
  if (told.warning != gist) {
    std::vector<Field> fields = who;
    if (!gist.empty()) fields.push_back({"detail", credentials.warning});
    tell_(gist.empty() ? EventType::credentials_recovered : EventType::credentials_warning,
          std::move(fields));
  }
  told = {credentials.origin, credentials.generation, std::move(gist), fresh ? "" : told.refused};
}

static_assert(kEnumerators<Refusal::no_certificate>.second == kRefusalReasons,
              "the metric names the reasons of the server, in their order");

void RefusalNews::on_refused(Refusal why, const std::string& address) {
  constexpr Millis kBetweenLines{600'000};
  const auto reason = static_cast<std::size_t>(why);
  metrics_.on_refused_connection(reason);
  Kind& kind = kinds_.at(reason);
  ++kind.untold;
  const MonoTime now = clock_.now().mono;
  if (kind.told != MonoTime{} && now - kind.told < kBetweenLines) return;
  kind.told = now;
  tell_(EventType::connections_refused, {{"reason", std::string(kRefusalReasons.at(reason))},
                                         {"connections", std::exchange(kind.untold, 0)},
                                         {"address", address}});
}

}  // namespace sharedrift
