#include "poll/account_limit.hpp"

#include "core/policy.hpp"
#include "core/sorted_entries.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace sharedrift {

namespace {

/// Beyond those that the image has room for whatever the others take.
std::size_t beyond_its_own(const ImageTracker& image, std::size_t accounts) {
  return accounts - std::min(accounts, account_room(image.policy()));
}

std::size_t count_all(const Tracker& tracker) {
  std::size_t known = 0;
  for (const auto& policy : tracker.watch().images) {
    const ImageTracker& image = tracker.image(policy->id);
    known += beyond_its_own(image, image.sightings().size());
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
  const std::size_t wanted =
      beyond_its_own(judged, seen.size() + fresh) - beyond_its_own(judged, seen.size());
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
