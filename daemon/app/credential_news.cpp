#include "app/credential_news.hpp"

#include <algorithm>

namespace sharedrift {

void CredentialNews::on_credentials(std::string_view profile, const Credentials& credentials) {
  next_.on_credentials(profile, credentials);
  std::string gist = credentials.warning;
  gist.erase(std::remove_if(gist.begin(), gist.end(), [](char c) { return c >= '0' && c <= '9'; }),
             gist.end());

  const std::lock_guard lock(mutex_);
  Told& told = told_.try_emplace(std::string{profile}).first->second;
  const std::vector<Field> who{{"profile", std::string{profile}}, {"source", credentials.origin}};
  if (told.generation != credentials.generation || told.origin != credentials.origin) {
    std::vector<Field> fields = who;
    if (credentials.expires) fields.push_back({"expires", *credentials.expires});
    tell_(told.origin != credentials.origin ? EventType::credentials_changed : EventType::credentials_renewed,
          std::move(fields));
  }
  if (told.warning != gist) {
    std::vector<Field> fields = who;
    if (!gist.empty()) fields.push_back({"detail", credentials.warning});
    tell_(gist.empty() ? EventType::credentials_recovered : EventType::credentials_warning,
          std::move(fields));
  }
  told = {credentials.origin, credentials.generation, std::move(gist)};
}

}  // namespace sharedrift
