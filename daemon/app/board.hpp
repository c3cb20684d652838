#pragma once

#include "app/image_lines.hpp"
#include "core/ids.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace sharedrift {

/// For each family of images a number that grows whenever its lines change.
using ImageVersions = std::array<std::uint64_t, kImageMetricCount>;

/// What readers see of all images at one moment: immutable, cheap to copy.
struct Fleet {
  std::vector<ViewPtr> views;  ///< in the order in which the images were first published
  std::shared_ptr<const AccountNames> account_names;  ///< never null
  ImageVersions versions{};
};

/// Where the poll thread hangs up the newest views and everybody else reads them. Thread-safe; nobody waits
/// for longer than it takes to copy a vector of pointers.
class Board {
 public:
  /// Replaces the view of its image, or adds it.
  void publish(ViewPtr view);
  void remove(const ImageId& image);
  /// The address book of the configuration in force.
  void set_account_names(AccountNames names);

  [[nodiscard]] Fleet fleet() const;
  /// Null for an image that is not watched.
  [[nodiscard]] ViewPtr find(const ImageId& image) const;
  /// The numbers of fleet(), without the views.
  [[nodiscard]] ImageVersions versions() const;

 private:
  void grow(const ImageMetrics& changed);
  void close_gaps();

  mutable std::mutex mutex_;
  std::vector<ViewPtr> views_;  ///< null where an image was removed, until close_gaps()
  std::unordered_map<ImageId, std::size_t> places_;
  std::shared_ptr<const AccountNames> names_ = std::make_shared<const AccountNames>();
  ImageVersions versions_{};
};

}  // namespace sharedrift
