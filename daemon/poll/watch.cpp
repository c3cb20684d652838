#include "poll/watch.hpp"

#include "core/ids.hpp"

namespace sharedrift {

namespace {
constexpr std::size_t kHashDigits = 12;

/// A name that only repeats the id is none: who names the image would say it twice.
std::shared_ptr<const ImagePolicy> without_idle_name(const std::shared_ptr<const ImagePolicy>& policy) {
  if (policy->name != policy->id.str()) return policy;
  auto out = std::make_shared<ImagePolicy>(*policy);
  out->name.clear();
  return out;
}
}  // namespace

WatchList watch_list(const Config& config, const Shard& shard,
                     const std::vector<std::shared_ptr<const ImagePolicy>>& discovered) {
  WatchList watch{config.poll};
  watch.images.reserve(config.images.size() / static_cast<std::size_t>(shard.count) + 1);
  for (const auto* images : {&config.images, &discovered}) {
    for (const auto& policy : *images) {
      if (shard.count == 1 || shard_of(policy->id, shard.count) == shard.index)
        watch.images.push_back(without_idle_name(policy));
    }
  }
  watch.account_names = config.account_names;
  watch.config_hash = config.sha256.substr(0, kHashDigits);
  return watch;
}

Discovery::Setup discovery_setup(const Config& config) {
  Discovery::Setup setup;
  setup.rules = config.discover;
  for (const auto& policy : config.images)
    setup.configured.insert(policy->id);
  for (const IgnoredImage& image : config.ignored)
    setup.ignored.insert(image.id);
  for (const ProfileConfig& profile : config.profiles)
    setup.profiles.insert(profile.name);
  setup.config = config.sha256.substr(0, kHashDigits);
  setup.gone_for = stale_after_of(config.poll, config.poll.interval);
  return setup;
}

std::vector<Schedule::Entry> schedule_entries(const WatchList& watch) {
  std::vector<Schedule::Entry> entries;
  entries.reserve(watch.images.size());
  for (const auto& policy : watch.images)
    entries.push_back({policy->id, policy->interval});
  return entries;
}

std::set<std::string> discovering(const Config& config) {
  std::set<std::string> profiles;
  if (!config.inventory.enabled || config.discover.empty()) return profiles;
  for (const ProfileConfig& profile : config.profiles)
    profiles.insert(profile.name);
  return profiles;
}

}  // namespace sharedrift
