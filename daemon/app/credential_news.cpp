#include "app/credential_news.hpp"

#include <algorithm>

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

}  // namespace sharedrift
