#include "app/ens_sources.hpp"

#include "aliyun/ens_client.hpp"
#include "aliyun/sts_client.hpp"
#include "credentials/command.hpp"
#include "credentials/source.hpp"
#include "http_client/curl_transport.hpp"
#include "wire/url.hpp"

#include <algorithm>
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

EnsOptions ens_options(const ProfileConfig& profile, std::shared_ptr<const HttpRoute> route) {
  EnsOptions options;
  options.gate = {profile.name,        profile.requests_per_second,
                  profile.concurrency, profile.max_attempts,
                  profile.timeout,     std::move(route)};
  const Url ens = parse_url(profile.endpoint).value();  // both were checked when the config was read
  const Url sts = parse_url(profile.sts_endpoint).value();
  options.scheme = ens.scheme();
  options.host = ens.authority();
  options.sts_scheme = sts.scheme();
  options.sts_host = sts.authority();
  options.owner = profile.owner_account;
  return options;
}

/// Blocking exchanges are rare (a refresh now and then): each has a transport of its own, so threads share
/// nothing.
HttpResult fetch_once(HttpRequest request, Millis timeout, const std::stop_token& stop) {
  CurlTransport transport;
  return perform(transport, std::move(request), std::chrono::steady_clock::now() + timeout, stop);
}

/// Whether the credentials of one may go on as those of the other.
bool share_credentials(const ProfileConfig& a, const ProfileConfig& b) {
  return a.sts_endpoint == b.sts_endpoint && a.ca_file == b.ca_file && a.proxy_url == b.proxy_url &&
         a.proxy_from_environment == b.proxy_from_environment && a.credentials == b.credentials;
}

class EnsSources final : public ShareSources {
 public:
  struct Profile {
    ProfileConfig config;
    std::unique_ptr<StsClient> sts;
    std::unique_ptr<CredentialSource> credentials;
    std::unique_ptr<EnsClient> client;
  };

  EnsSources(const Config& config, EnsSources* previous, const EnsWorld& world) {
    for (const ProfileConfig& profile : config.profiles)
      add(profile, previous, world);
  }

  std::map<std::string, PollLane> lanes() override {
    constexpr std::size_t kLeastWindow = 64;
    constexpr std::size_t kWindowPerSlot = 8;
    std::map<std::string, PollLane> lanes;
    for (Profile& profile : profiles_) {
      const auto slots = static_cast<std::size_t>(profile.config.concurrency);
      lanes[profile.config.name] = {profile.client.get(), profile.config.timeout,
                                    std::max(kLeastWindow, kWindowPerSlot * slots)};
    }
    return lanes;
  }

 private:
  void add(const ProfileConfig& config, EnsSources* previous, const EnsWorld& world) {
    Profile profile;
    const auto route = route_of(config);
    profile.config = config;
    std::unique_ptr<EnsClient> earlier;
    if (previous != nullptr) {
      const auto kept =
          std::find_if(previous->profiles_.begin(), previous->profiles_.end(),
                       [&config](const Profile& old) { return old.config.name == config.name; });
      if (kept != previous->profiles_.end()) {
        earlier = std::move(kept->client);
        if (share_credentials(kept->config, config)) {
          profile.sts = std::move(kept->sts);
          profile.credentials = std::move(kept->credentials);
        }
      }
    }
    if (!profile.credentials) {
      profile.sts = std::make_unique<StsClient>(world.clock, world.random, fetch_once, route);
      const bool own_sts = config.sts_endpoint != ProfileConfig{}.sts_endpoint;
      profile.credentials =
          make_credential_source(config.credentials,
                                 {world.clock, world.random, *profile.sts, fetch_once, process_environment(),
                                  command_runner(), route, own_sts ? config.sts_endpoint : ""},
                                 config.name, {&world.observer, world.wake});
    }
    profile.client =
        std::make_unique<EnsClient>(ens_options(config, route), world.transport, world.timers,
                                    *profile.credentials, world.clock, world.random, world.observer);
    if (earlier) profile.client->continue_pace_of(*earlier);
    profiles_.push_back(std::move(profile));
  }

  std::vector<Profile> profiles_;
};

}  // namespace

std::unique_ptr<ShareSources> make_ens_sources(const Config& config, std::unique_ptr<ShareSources> previous,
                                               const EnsWorld& world) {
  return std::make_unique<EnsSources>(config, dynamic_cast<EnsSources*>(previous.get()), world);
}

}  // namespace sharedrift
