#include "poll/account_limit.hpp"

#include "core/sorted_entries.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace sharedrift {

namespace {

std::size_t count_all(const Tracker& tracker) {
  std::size_t known = 0;
  for (const auto& policy : tracker.watch().images) {
    known += beyond_room(*policy, tracker.image(policy->id).sightings().size());
  }
  return known;
}

}  // namespace

std::optional<Observation> AccountLimit::cut(const Tracker& tracker, const ImageId& image,
                                             const Observation& listing) {
  if (!tracker.watches(image)) return std::nullopt;
  const ImageTracker& judged = tracker.image(image);
  const std::vector<Sighting>& seen = judged.sightings();
  const auto is_new = [&seen](const AccountId& account) { return lookup(seen, account) == nullptr; };
  std::size_t fresh = 0;
  for (const auto* accounts : {&listing.accounts, &listing.transient})
    fresh += static_cast<std::size_t>(std::count_if(accounts->begin(), accounts->end(), is_new));
  const ImagePolicy& policy = judged.policy();
  const std::size_t wanted = beyond_room(policy, seen.size() + fresh) - beyond_room(policy, seen.size());
  if (!known_ || *known_ + wanted > beside_) known_ = count_all(tracker);
  const std::size_t given = std::min(wanted, beside_ - std::min(beside_, *known_));
  *known_ += given;
  if (given == wanted) return std::nullopt;
  std::size_t room = fresh - (wanted - given);
  Observation out = listing;
  for (auto* accounts : {&out.accounts, &out.transient}) {
    std::erase_if(*accounts, [&](const AccountId& account) {
      if (!is_new(account)) return false;
      if (room == 0) return true;
      --room;
      return false;
    });
  }
  out.complete = false;
  out.failure = make_failure(
      Reason::too_large, "the image has more accounts than there is room for: " + std::to_string(beside_) +
                             " are remembered of all images, beside those of its own entry");
  return out;
}

}  // namespace sharedrift
