#pragma once

#include "core/ids.hpp"
#include "core/inventory.hpp"
#include "core/listing.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sharedrift {

/// Notices that somebody between here and the API gives answers that it kept: one of the RequestIds came
/// before. Such a listing or walk is as old as that answer, and proves no absence. Not thread-safe.
class RepeatedAnswers {
 public:
  /// So many RequestIds of each image and inventory are remembered, whatever their answers were worth: 1 KiB
  /// beside a map's entry.
  static constexpr std::size_t kRemembered = 128;
  /// Of a list that took more answers than that those of so many readings, the longest since the last one
  /// that proved something: 128 KiB at most (four passes of a thousand pages).
  static constexpr std::size_t kReadings = 4;

  /// `listing` as one that proves nothing, where it repeats an answer; none: it is news.
  std::optional<Observation> refuse(const ImageId& image, const Observation& listing);
  /// The same for the inventory of a profile.
  std::optional<InventoryListing> refuse(const std::string& profile, const InventoryListing& walked);
  /// Of these images nothing else is remembered either.
  void forget(const std::vector<ImageId>& images);

 private:
  struct Known {
    std::vector<std::uint64_t> hashes;  ///< of RequestIds, the oldest first
    std::size_t longest = 0;            ///< answers of a reading
  };
  static std::optional<std::string> repeated(Known& known, const std::vector<std::string>& request_ids,
                                             bool proves);

  std::unordered_map<ImageId, Known> of_images_;
  std::unordered_map<std::string, Known> of_inventories_;
};

}  // namespace sharedrift
