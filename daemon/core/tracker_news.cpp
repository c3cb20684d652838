// What the fleet's tracker tells: how its life begins, and one line for one cause of a profile.
#include "core/listing.hpp"
#include "core/tracker.hpp"

#include <algorithm>

namespace sharedrift {

namespace {

std::int64_t whole_seconds(WallTime::duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

/// Says how this life begins: as the first one, or after a gap in which nobody watched.
void Tracker::announce(const SavedState& saved, Instant now, Step& step) const {
  if (saved.images.empty()) {
    step.events.push_back(
        {EventType::first_run, now.wall, "", {{"images", static_cast<std::int64_t>(images_.size())}}});
    return;
  }
  std::optional<WallTime> from = saved.last_alive;
  if (!from) {
    for (const ImageRecord& record : saved.images)
      from = std::max(from, record.last_poll);
  }
  Millis shortest = watch_.interval;
  for (const auto& policy : watch_.images)
    shortest = std::min(shortest, policy->interval);
  Event gap{EventType::monitoring_gap, now.wall, "", {}};
  if (from && *from <= now.wall + kClockTolerance) {
    if (now.wall - *from <= shortest) return;
    gap.add("from", *from);
    gap.add("to", now.wall);
    gap.add("seconds", whole_seconds(now.wall - *from));
  } else {
    gap.add("to", now.wall);
    gap.add("detail", std::string{"when the last life ended cannot be told: the clock was set back, or the "
                                  "state does not say"});
  }
  step.events.push_back(std::move(gap));
}

void Tracker::count_profiles() {
  for (auto& [name, profile] : profiles_)
    profile.images = 0;
  for (const auto& policy : watch_.images)
    ++profiles_[policy->profile].images;
  std::erase_if(profiles_, [](const auto& profile) { return profile.second.images == 0; });
  for (auto& [name, profile] : profiles_) {
    profile.outage.forget([this, &name = name](const ImageId& id) {
      const auto found = images_.find(id);
      return found == images_.end() || found->second.tracker.policy().profile != name;
    });
  }
}

/// Takes the image's own lines back where one line of its profile says it all.
void Tracker::fold_outage(const Watched& image, const Observation& seen, std::size_t told_before, Instant now,
                          Step& step) {
  const ImagePolicy& policy = image.tracker.policy();
  Profile& profile = profiles_.at(policy.profile);
  const auto own = step.events.begin() + static_cast<std::ptrdiff_t>(told_before);
  const bool telling = std::any_of(own, step.events.end(), [](const Event& event) {
    return event.type == EventType::listing_failed || event.type == EventType::listing_incomplete;
  });
  const auto advice = profile.outage.on_poll({policy.id, seen.complete, image.tracker.state(), telling},
                                             profile.images, now, watch_.interval + watch_.interval / 4);
  if (advice.quiet) {
    const auto is_folded = [](const Event& e) { return spec(e.type).kind == EventKind::listing; };
    step.events.erase(std::remove_if(own, step.events.end(), is_folded), step.events.end());
  }
  tell_outage(policy.profile, advice, now, step);
}

void Tracker::tell_outage(const std::string& name, const ProfileOutage::Advice& advice, Instant now,
                          Step& step) {
  const ImageTracker::Context with = context(now, step.events);
  for (const ImageId& id : advice.owed)
    step.events.push_back(images_.at(id).tracker.failure_event(with));
  if (advice.news == ProfileOutage::Advice::News::none) return;
  const Profile& profile = profiles_.at(name);
  const bool blind = advice.news == ProfileOutage::Advice::News::blind;
  Event event{blind ? EventType::profile_blind : EventType::profile_recovered, now.wall, "", {}};
  event.add("profile", name);
  event.add("images", static_cast<std::int64_t>(profile.outage.blind_images()));
  event.add("images_watched", static_cast<std::int64_t>(profile.images));
  event.add("seconds",
            std::chrono::duration_cast<std::chrono::seconds>(now.mono - profile.outage.since().mono).count());
  if (blind) images_.at(profile.outage.example()).tracker.add_failure(event);
  step.events.push_back(std::move(event));
}

}  // namespace sharedrift
