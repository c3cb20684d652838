#pragma once

#include "core/record.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sharedrift {

/// What is remembered of images that are not watched any more: no account loses its access by that, so an
/// image that is watched again goes on from here. Not thread-safe.
class UnwatchedImages {
 public:
  /// Of the records, in rows of the state database. StateLimits has room for them.
  static constexpr std::size_t kMostRows = 50'000;
  explicit UnwatchedImages(std::size_t most_rows = kMostRows) : most_rows_(most_rows) {}

  /// `record.unwatched_since` is there.
  void keep(ImageRecord record);
  /// The record, which is not kept any longer; none: there is none.
  std::optional<ImageRecord> take(const ImageId& image);
  /// Forgets those that have not been watched since before `before`. Of too many rows the largest record goes
  /// first, the oldest of these: as few images as can be lose theirs, and one that is bloated pushes out no
  /// other.
  std::vector<ImageId> forget(WallTime before);

 private:
  const std::size_t most_rows_;
  std::unordered_map<ImageId, ImageRecord> records_;
  std::set<std::pair<WallTime, ImageId>> by_age_;
  std::set<std::tuple<std::ptrdiff_t, WallTime, ImageId>> by_size_;  ///< rows, counted below zero
  std::size_t rows_ = 0;
};

}  // namespace sharedrift
