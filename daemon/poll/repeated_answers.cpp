#include "poll/repeated_answers.hpp"

#include <algorithm>
#include <functional>

namespace sharedrift {

namespace {
/// `proof` without what it proves.
template <typename Proof>
Proof as_repeated(const Proof& proof) {
  Proof repeated = proof;
  repeated.complete = false;
  repeated.failure = make_failure(Reason::bad_payload,
                                  "the answer is an earlier one, with the same RequestId: something between "
                                  "this host and the API keeps answers; exclude the endpoint from that cache "
                                  "or proxy");
  repeated.failure.request_id = proof.request_ids.back();
  return repeated;
}
}  // namespace

/// All of them are known afterwards.
bool RepeatedAnswers::repeats(Hashes& known, const std::vector<std::string>& request_ids) {
  bool any = false;
  for (const std::string& id : request_ids) {
    const auto hash = static_cast<std::uint32_t>(std::hash<std::string>{}(id));
    if (std::find(known.begin(), known.end(), hash) != known.end()) {
      any = true;
      continue;
    }
    if (known.size() == kRemembered) known.erase(known.begin());
    known.push_back(hash);
  }
  return any;
}

std::optional<Observation> RepeatedAnswers::refuse(const ImageId& image, const Observation& listing) {
  const bool repeated_one = repeats(of_images_[image], listing.request_ids);
  if (!repeated_one || (!listing.complete && !listing.gone)) return std::nullopt;
  Observation repeated = as_repeated(listing);
  repeated.gone = false;
  return repeated;
}

std::optional<InventoryListing> RepeatedAnswers::refuse(const std::string& profile,
                                                        const InventoryListing& walked) {
  if (!repeats(of_inventories_[profile], walked.request_ids) || !walked.complete) return std::nullopt;
  return as_repeated(walked);
}

void RepeatedAnswers::forget(const std::vector<ImageId>& images) {
  for (const ImageId& image : images)
    of_images_.erase(image);
}

}  // namespace sharedrift
