#include "poll/repeated_answers.hpp"

#include <algorithm>

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

/// The first that came before. All of them are known afterwards.
std::optional<std::string> RepeatedAnswers::repeated(Hashes& known,
                                                     const std::vector<std::string>& request_ids) {
  std::optional<std::string> first;
  for (const std::string& id : request_ids) {
    const std::uint64_t hash = stable_hash(id);
    if (std::find(known.begin(), known.end(), hash) == known.end()) {
      known.push_back(hash);
    } else if (!first) {
      first = id;
    }
  }
  const std::size_t most = std::max(kRemembered, kReadings * request_ids.size());
  if (known.size() > most) known.erase(known.begin(), known.end() - static_cast<std::ptrdiff_t>(most));
  return first;
}

std::optional<Observation> RepeatedAnswers::refuse(const ImageId& image, const Observation& listing) {
  const auto id = repeated(of_images_[image], listing.request_ids);
  if (!id || (!listing.complete && !listing.gone)) return std::nullopt;
  Observation refused = as_repeated(listing, *id);
  refused.gone = false;
  return refused;
}

std::optional<InventoryListing> RepeatedAnswers::refuse(const std::string& profile,
                                                        const InventoryListing& walked) {
  const auto id = repeated(of_inventories_[profile], walked.request_ids);
  if (!id || !walked.complete) return std::nullopt;
  return as_repeated(walked, *id);
}

void RepeatedAnswers::forget(const std::vector<ImageId>& images) {
  for (const ImageId& image : images)
    of_images_.erase(image);
}

}  // namespace sharedrift
