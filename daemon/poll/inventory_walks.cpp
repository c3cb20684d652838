#include "poll/inventory_walks.hpp"

#include "core/event.hpp"

#include <algorithm>

namespace sharedrift {

namespace {
/// A walk may take as long as its interval, but not for ever.
constexpr Millis kLongestWalk{300'000};
/// A failure that goes on is told again at every this many.
constexpr std::int64_t kToldAgainEvery = 20;

/// Why the walk that ended proves less than what the account owns, if it does.
std::optional<Failure> failure_of(const InventoryListing& seen, const OwnedImages& owned) {
  if (!seen.complete) return seen.failure;
  if (owned.left_out() == 0) return std::nullopt;
  return make_failure(Reason::too_large, "the account has more images than there is room for: " +
                                             std::to_string(owned.images().size()) + " are remembered, " +
                                             std::to_string(owned.left_out()) + " are not");
}
}  // namespace

std::string owns_nothing(const ProfileConfig& profile) {
  return "the account of profile " + profile.name + " owns no image at " + profile.endpoint +
         ": the key is another account's, or the images are in another region, which has another endpoint";
}

void InventoryWalks::start(const std::string& profile, ShareSource& source, Millis timeout) {
  if (!parts_.config.inventory.enabled) return;
  Profile& entry = profiles_[profile];
  entry.source = &source;
  entry.timeout = timeout;
  const OwnedImages& owned = parts_.inventories[profile];
  if (owned.was_walked()) parts_.listener.on_inventory_rewatched(profile, view(profile));
  const MonoTime due = owned.next_walk(parts_.clock.mono(), parts_.config.inventory.interval);
  entry.next = parts_.timers.at(due, [this, profile] { walk(profile); });
}

bool InventoryWalks::proves(const std::string& profile, const ImageId& image) const {
  const auto known = parts_.inventories.find(profile);
  return known != parts_.inventories.end() && known->second.proves(image, parts_.clock.mono(), rules());
}

OwnedImages::Rules InventoryWalks::rules() const {
  const Config& config = parts_.config;
  return {config.inventory.interval, config.poll.confirm_clears, config.poll.mass_change_percent};
}

void InventoryWalks::walk(const std::string& name) {
  const Profile& profile = profiles_.at(name);
  const MonoTime now = parts_.clock.mono();
  const Millis patience =
      std::clamp(parts_.config.inventory.interval, profile.timeout, std::max(kLongestWalk, profile.timeout));
  profile.source->walk(now + patience,
                       [this, name, now](const InventoryListing& seen) { take(name, now, seen); });
}

void InventoryWalks::take(const std::string& name, MonoTime began, const InventoryListing& walked) {
  const Instant now = parts_.clock.now();
  const auto repeated = parts_.answers.refuse(name, walked);
  const InventoryListing& seen = repeated ? *repeated : walked;
  OwnedImages& owned = parts_.inventories[name];
  const OwnedImages::News news = owned.take(seen, now, rules());
  const std::uint64_t before = parts_.discovery.version();
  for (const Event& event : parts_.discovery.take(name, owned, news, now.wall))
    parts_.publisher.tell(event);
  if (parts_.discovery.version() != before) parts_.rewatch();
  InventoryView shown = view(name);
  shown.failure = failure_of(seen, owned);
  tell(name, seen, shown.failure);
  parts_.listener.on_inventory(name, shown);
  profiles_.at(name).next = parts_.timers.at(std::max(began + parts_.config.inventory.interval, now.mono),
                                             [this, name] { walk(name); });
}

/// That an inventory is not complete is told when it begins, when its reason changes, and now and then.
void InventoryWalks::tell(const std::string& name, const InventoryListing& seen,
                          const std::optional<Failure>& failure) {
  Profile& profile = profiles_.at(name);
  const WallTime now = parts_.clock.wall();
  if (!failure) {
    const bool nothing =
        std::none_of(seen.rows.begin(), seen.rows.end(), [](const InventoryRow& row) { return row.ours; });
    if (nothing && !profile.owns_nothing) {
      for (const ProfileConfig& config : parts_.config.profiles) {
        if (config.name == name)
          parts_.publisher.tell({EventType::config_warning, now, "", {{"reason", owns_nothing(config)}}});
      }
    }
    profile.owns_nothing = nothing;
    if (profile.failures > 0) {
      parts_.publisher.tell({EventType::inventory_recovered,
                             now,
                             "",
                             {{"profile", name}, {"failures", std::exchange(profile.failures, 0)}}});
    }
    return;
  }
  const Failure& why = *failure;
  const bool same = profile.failures++ > 0 && profile.told == why.reason;
  if (same && profile.failures % kToldAgainEvery != 0) return;
  profile.told = why.reason;
  Event event{EventType::inventory_incomplete, now, "", {{"profile", name}}};
  add_failure(event, why, profile.failures);
  parts_.publisher.tell(event);
}

InventoryView InventoryWalks::view(const std::string& name) const {
  const OwnedImages& owned = parts_.inventories.at(name);
  const auto dropped = static_cast<std::int64_t>(owned.left_out());
  std::int64_t unwatched = dropped;
  std::int64_t ignored = 0;
  InventoryView out;
  for (const auto& [id, image] : owned.images()) {
    if (parts_.discovery.watches(id)) continue;
    if (parts_.discovery.ignores(id)) {
      ++ignored;
      continue;
    }
    ++unwatched;
    if (out.some_unwatched.size() < InventoryView::kMostNamed)
      out.some_unwatched.emplace_back(id, image.name == id.str() ? std::string{} : image.name);
  }
  const bool proven = owned.is_proven(parts_.clock.mono(), rules());
  const auto count = [proven](std::int64_t value) {
    return value > 0 || proven ? InventoryView::Count(value) : std::nullopt;
  };
  out.images = count(static_cast<std::int64_t>(owned.images().size()) + dropped);
  out.unwatched = count(unwatched);
  out.left_out = count(static_cast<std::int64_t>(parts_.discovery.left_out(name)));
  out.ignored = count(ignored);
  out.last_complete = owned.last_complete();
  return out;
}

}  // namespace sharedrift
