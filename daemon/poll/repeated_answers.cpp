#include "poll/repeated_answers.hpp"

#include <functional>
#include <string>

namespace sharedrift {

std::optional<Observation> RepeatedAnswers::refuse(const ImageId& image, const Observation& listing) {
  if (!listing.complete || listing.request_ids.empty()) return std::nullopt;
  std::string all;
  for (const std::string& id : listing.request_ids)
    all.append(id).push_back('\n');
  const std::size_t now = std::hash<std::string>{}(all);
  const auto [last, is_first] = last_.try_emplace(image, now);
  if (is_first || last->second != now) {
    last->second = now;
    return std::nullopt;
  }
  Observation repeated = listing;
  repeated.complete = false;
  repeated.failure = make_failure(Reason::bad_payload,
                                  "the answer is an earlier one, with the same RequestId: something between "
                                  "this host and the API keeps answers");
  repeated.failure.request_id = listing.request_ids.back();
  return repeated;
}

}  // namespace sharedrift
