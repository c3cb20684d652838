#pragma once

#include "core/ids.hpp"
#include "core/listing.hpp"

#include <cstddef>
#include <optional>
#include <unordered_map>

namespace sharedrift {

/// Notices that somebody between here and the API gives answers that it kept: the RequestIds are those of the
/// image's last proof. Such a listing is as old as that one, and proves no absence. Not thread-safe.
class RepeatedAnswers {
 public:
  /// `listing` as one that is not complete, where it repeats the image's last one; none: it is news.
  std::optional<Observation> refuse(const ImageId& image, const Observation& listing);

 private:
  std::unordered_map<ImageId, std::size_t> last_;  ///< a hash of the RequestIds
};

}  // namespace sharedrift
