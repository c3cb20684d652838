#include "app/make_profile_access.hpp"

#include "credentials/command.hpp"
#include "credentials/source.hpp"
#include "http_client/curl_transport.hpp"
#include "http_client/proxy_environment.hpp"
#include "os/system_clock.hpp"

#include <utility>

namespace sharedrift {

namespace {

std::shared_ptr<const HttpRoute> route_of(const ProfileConfig& profile) {
  auto route = std::make_shared<HttpRoute>();
  route->ca_file = profile.ca_file;
  route->proxy_url = profile.proxy_url;
  route->proxy_from_environment = profile.proxy_from_environment;
  return route;
}

/// Blocking exchanges are rare (a refresh now and then): each has a transport of its own, so threads share
/// nothing.
HttpResult fetch_once(HttpRequest request, Millis timeout, const std::stop_token& stop) {
  CurlTransport transport;
  return perform(transport, std::move(request), boot_now() + timeout, stop);
}

ProfileAccess without_credentials(const ProfileConfig& profile, Clock& clock, Random& random) {
  ProfileAccess access;
  access.route = route_of(profile);
  access.correction = std::make_shared<ClockCorrection>();
  access.clock = std::make_unique<CorrectedClock>(clock, *access.correction);
  access.sts = std::make_unique<StsClient>(clock, random, fetch_once, access.route, access.correction);
  return access;
}

CredentialWorld world_of(const ProfileConfig& profile, const ProfileAccess& access, Random& random) {
  const bool own_sts = profile.sts_endpoint != ProfileConfig{}.sts_endpoint;
  return {*access.clock,    random,           *access.sts,  fetch_once,
          process_variable, command_runner(), access.route, own_sts ? profile.sts_endpoint : ""};
}

}  // namespace

ProfileAccess make_profile_access(const ProfileConfig& profile, Clock& clock, Random& random,
                                  ApiObserver* observer, std::function<void()> changed) {
  ProfileAccess access = without_credentials(profile, clock, random);
  access.credentials = make_credential_source(profile.credentials, world_of(profile, access, random),
                                              profile.name, {observer, std::move(changed)});
  return access;
}

std::vector<std::string> local_credential_faults(const ProfileConfig& profile, Clock& clock, Random& random) {
  const ProfileAccess access = without_credentials(profile, clock, random);
  return local_credential_faults(profile.credentials, world_of(profile, access, random));
}

}  // namespace sharedrift
