#include "poll/account_limit.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace sharedrift {

namespace {

/// Beyond those that each image has room for, whatever the others take.
std::size_t beyond_its_own(std::size_t accounts) {
  constexpr std::size_t kOfEachImage = 10;
  return accounts - std::min(accounts, kOfEachImage);
}

std::size_t count_all(const Tracker& tracker) {
  std::size_t known = 0;
  for (const auto& policy : tracker.watch().images)
    known += beyond_its_own(tracker.image(policy->id).sightings().size());
  return known;
}

}  // namespace

std::optional<Observation> AccountLimit::cut(const Tracker& tracker, const ImageId& image,
                                             const Observation& listing) {
  if (!tracker.watches(image)) return std::nullopt;
  const std::vector<Sighting>& seen = tracker.image(image).sightings();
  const auto is_new = [&seen](const AccountId& account) {
    const auto place = std::lower_bound(seen.begin(), seen.end(), account,
                                        [](const Sighting& s, const AccountId& a) { return s.account < a; });
    return place == seen.end() || place->account != account;
  };
  std::size_t fresh = 0;
  for (const auto* accounts : {&listing.accounts, &listing.transient})
    fresh += static_cast<std::size_t>(std::count_if(accounts->begin(), accounts->end(), is_new));
  const std::size_t wanted = beyond_its_own(seen.size() + fresh) - beyond_its_own(seen.size());
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
                             " are remembered of all images, and ten of each");
  return out;
}

}  // namespace sharedrift
