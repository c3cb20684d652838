#include "app/ens_sources.hpp"

#include "aliyun/ens_client.hpp"
#include "app/make_profile_access.hpp"
#include "wire/url.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {

EnsOptions ens_options(const ProfileConfig& profile, const ProfileAccess& access, Millis look_up_pause) {
  EnsOptions options;
  options.gate = {profile.name,        profile.requests_per_second,
                  profile.concurrency, profile.max_attempts,
                  profile.timeout,     access.route,
                  access.correction};
  const Url ens = parse_url(profile.endpoint).value();  // both were checked when the config was read
  const Url sts = parse_url(profile.sts_endpoint).value();
  options.scheme = ens.scheme();
  options.host = ens.authority();
  options.sts_scheme = sts.scheme();
  options.sts_host = sts.authority();
  options.owner = profile.owner_account;
  options.look_up_pause = look_up_pause;
  return options;
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
    ProfileAccess access;
    std::unique_ptr<EnsClient> client;
  };

  EnsSources(const Config& config, EnsSources* previous, const EnsWorld& world) {
    for (const ProfileConfig& profile : config.profiles)
      add(profile, config.inventory.interval, previous, world);
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
  void add(const ProfileConfig& config, Millis look_up_pause, EnsSources* previous, const EnsWorld& world) {
    Profile profile;
    profile.config = config;
    std::unique_ptr<EnsClient> earlier;
    bool unchanged = false;
    if (previous != nullptr) {
      const auto kept =
          std::find_if(previous->profiles_.begin(), previous->profiles_.end(),
                       [&config](const Profile& old) { return old.config.name == config.name; });
      if (kept != previous->profiles_.end()) {
        earlier = std::move(kept->client);
        unchanged = kept->config == config;
        if (share_credentials(kept->config, config)) profile.access = std::move(kept->access);
      }
    }
    if (!profile.access.credentials) {
      profile.access = make_profile_access(config, world.clock, world.random, &world.observer, world.wake);
    }
    profile.client = std::make_unique<EnsClient>(ens_options(config, profile.access, look_up_pause),
                                                 world.transport, world.timers, *profile.access.credentials,
                                                 world.clock, world.random, world.observer);
    if (earlier) profile.client->continue_pace_of(*earlier);
    if (unchanged) profile.client->continue_walks_of(*earlier);
    profiles_.push_back(std::move(profile));
  }

  std::vector<Profile> profiles_;
};

}  // namespace

std::unique_ptr<ShareSources> make_ens_sources(const Config& config, std::unique_ptr<ShareSources> previous,
                                               const EnsWorld& world) {
  return std::make_unique<EnsSources>(config, dynamic_cast<EnsSources*>(previous.get()), world);
}

bool discovers(const Config& config, const std::string& profile) {
  return std::any_of(config.discover.begin(), config.discover.end(), [&profile](const DiscoverRule& rule) {
    return rule.profile.empty() || rule.profile == profile;
  });
}

}  // namespace sharedrift
