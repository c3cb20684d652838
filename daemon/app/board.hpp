#pragma once

#include "app/image_lines.hpp"
#include "core/ids.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>
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
  /// A place in views_, found by the image of the view there.
  struct ByImage {
    using is_transparent = void;
    const std::vector<ViewPtr>* views;
    [[nodiscard]] const ImageId& id(std::size_t place) const { return (*views)[place]->policy->id; }
    std::size_t operator()(const ImageId& id) const { return std::hash<ImageId>{}(id); }
    std::size_t operator()(std::size_t place) const { return (*this)(id(place)); }
    bool operator()(const ImageId& a, std::size_t b) const { return a == id(b); }
    bool operator()(std::size_t a, std::size_t b) const { return a == b || id(a) == id(b); }
  };
  void grow(const ImageMetrics& changed);
  void close_gaps();

  mutable std::mutex mutex_;
  std::vector<ViewPtr> views_;  ///< null where an image was removed, until close_gaps()
  std::unordered_set<std::size_t, ByImage, ByImage> places_{0, ByImage{&views_}, ByImage{&views_}};
  std::shared_ptr<const AccountNames> names_ = std::make_shared<const AccountNames>();
  ImageVersions versions_{};
};

}  // namespace sharedrift
