#pragma once

#include "core/ids.hpp"
#include "metrics/image_lines.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace sharedrift {

/// For each family of images a number that grows whenever its lines change.
using ImageVersions = std::array<std::uint64_t, kImageMetricCount>;

/// What readers see of all images at one moment: immutable, cheap to copy.
struct Fleet {
  std::vector<ViewPtr> views;                         ///< sorted by id
  std::shared_ptr<const AccountNames> account_names;  ///< never null
  ImageVersions versions{};
};

/// The newest view of every watched image: the poll thread puts them in, everybody else reads them.
/// Thread-safe; nobody waits for longer than it takes to copy the pointers.
class ViewStore {
 public:
  ViewStore();

  /// Replaces the view of its image, or adds it.
  void publish(ViewPtr view);
  void remove(const ImageId& image);
  /// The address book of the configuration in force.
  void set_account_names(AccountNames names);

  [[nodiscard]] Fleet fleet() const;
  /// The greatest of all versions so far.
  [[nodiscard]] std::uint64_t version() const;

 private:
  void grow(const ImageMetrics& changed);

  mutable std::mutex mutex_;
  std::map<ImageId, ViewPtr> views_;
  std::shared_ptr<const AccountNames> names_ = std::make_shared<const AccountNames>();
  std::uint64_t version_ = 0;
  ImageVersions versions_{};
};

}  // namespace sharedrift
