#include "web/plan.hpp"

#include "wire/url.hpp"

namespace sharedrift {

Endpoints endpoints_of(const Config& config) {
  Endpoints endpoints;
  for (const ProfileConfig& profile : config.profiles)
    endpoints[profile.name] = profile.endpoint;
  return endpoints;
}

std::vector<PlannedCall> planned_calls(const ImageView& view, const Endpoints& endpoints) {
  const ImagePolicy& policy = *view.policy;
  std::string call = "aliyun ens ModifyImageSharePermission --ImageId " + policy.id.str();
  // Without it the region of the reader's own aliyun profile would decide which API is told.
  const bool unknown = policy.profile.empty();  // not watched any more, since before the last restart
  const auto endpoint = unknown && endpoints.size() == 1 ? endpoints.begin() : endpoints.find(policy.profile);
  if (endpoint != endpoints.end()) {
    const Url url = parse_url(endpoint->second).value();  // checked by the loader
    call += " --endpoint " + url.authority() + (url.https ? "" : " --insecure");
  }
  std::vector<PlannedCall> calls;
  if (unknown && endpoint == endpoints.end()) return calls;
  for (const DriftView& drift : view.drifts) {
    const bool unexpected = drift.kind == DriftKind::unexpected;
    if (unexpected && policy.canary) continue;
    calls.push_back(
        {drift.account, drift.kind,
         call + (unexpected ? " --RemoveAccounts " : " --AddAccounts ") + std::string{drift.account.str()}});
  }
  return calls;
}

}  // namespace sharedrift
