#include "poll/repeated_answers.hpp"

#include <algorithm>
#include <cstddef>

namespace sharedrift {

namespace {
/// `proof` without what it proves, since it has the answer `request_id`.
template <typename Proof>
Proof as_repeated(const Proof& proof, const std::string& request_id) {
  Proof repeated = proof;
  repeated.complete = false;
  repeated.failure = make_failure(Reason::bad_payload,
                                  "the answer is an earlier one, with the same RequestId: something between "
                                  "this host and the API keeps answers; exclude the endpoint from that cache "
                                  "or proxy");
  repeated.failure.request_id = request_id;
  return repeated;
}
}  // namespace

/// The first that came before. All of them are known afterwards. `proves`: the reading is a proof if none
/// did.
std::optional<std::string> RepeatedAnswers::repeated(Known& known,
                                                     const std::vector<std::string>& request_ids,
                                                     bool proves) {
  std::optional<std::string> first;
  std::vector<std::uint64_t> fresh;
  fresh.reserve(request_ids.size());
  const auto has = [](const auto& hashes, std::uint64_t hash) {
    return std::find(hashes.begin(), hashes.end(), hash) != hashes.end();
  };
  for (const std::string& id : request_ids) {
    const std::uint64_t hash = stable_hash(id);
    if (!has(known.hashes, hash) && !has(fresh, hash)) {
      fresh.push_back(hash);
    } else if (!first) {
      first = id;
    }
  }
  // A reading that broke off early must not make room scarce for those of a long list.
  if (request_ids.size() > known.longest || (proves && !first)) known.longest = request_ids.size();
  const std::size_t most = std::max(kRemembered, kReadings * known.longest);
  auto& hashes = known.hashes;
  const std::size_t room = most - std::min(most, fresh.size());
  if (hashes.size() > room) hashes.erase(hashes.begin(), hashes.end() - static_cast<std::ptrdiff_t>(room));
  if (hashes.capacity() > 2 * most) hashes.shrink_to_fit();
  const std::size_t all = hashes.size() + fresh.size();
  if (all > hashes.capacity()) hashes.reserve(std::min(most, 2 * all));
  hashes.insert(hashes.end(), fresh.begin(), fresh.end());
  return first;
}

std::optional<Observation> RepeatedAnswers::refuse(const ImageId& image, const Observation& listing) {
  const bool proves = listing.complete || listing.gone;
  const auto id = repeated(of_images_[image], listing.request_ids, proves);
  if (!id || !proves) return std::nullopt;
  Observation refused = as_repeated(listing, *id);
  refused.gone = false;
  return refused;
}

std::optional<InventoryListing> RepeatedAnswers::refuse(const std::string& profile,
                                                        const InventoryListing& walked) {
  const auto id = repeated(of_inventories_[profile], walked.request_ids, walked.complete);
  if (!id || !walked.complete) return std::nullopt;
  return as_repeated(walked, *id);
}

void RepeatedAnswers::forget(const std::vector<ImageId>& images) {
  for (const ImageId& image : images)
    of_images_.erase(image);
}

}  // namespace sharedrift
