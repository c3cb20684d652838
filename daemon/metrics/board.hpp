#pragma once

#include "core/ids.hpp"
#include "metrics/image_lines.hpp"

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
};

/// Images that are neighbours on the board; their versions are of the lines of these images only.
struct Block {
  ImageVersions versions{};
  std::vector<ViewPtr> views;
};

/// The fleet block by block, at one moment.
struct BlockReading {
  std::uint64_t moment = 0;                           ///< of Board::moment()
  std::vector<Block> blocks;                          ///< views only where they were asked for
  std::shared_ptr<const AccountNames> account_names;  ///< never null
};

/// Where the poll thread hangs up the newest views and everybody else reads them. Thread-safe; nobody waits
/// for longer than it takes to copy a vector of pointers.
class Board {
 public:
  /// So many lines of a family are made anew when an image changes.
  static constexpr std::size_t kImagesInABlock = 512;
  explicit Board(std::size_t images_in_a_block = kImagesInABlock) : images_in_a_block_(images_in_a_block) {}

  /// Replaces the view of its image, or adds it.
  void publish(ViewPtr view);
  void remove(const ImageId& image);
  /// The address book of the configuration in force.
  void set_account_names(AccountNames names);

  [[nodiscard]] Fleet fleet() const;
  /// Null for an image that is not watched.
  [[nodiscard]] ViewPtr find(const ImageId& image) const;

  /// Grows with every change of a line.
  [[nodiscard]] std::uint64_t moment() const;
  /// `wanted` is shown all versions, without views, and says for each block whether its views are to be read.
  /// It is called with the board locked.
  using Wanted = std::function<std::vector<bool>(const std::vector<Block>& blocks)>;
  [[nodiscard]] BlockReading read_blocks(const Wanted& wanted) const;

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
  void grow(std::size_t place, const ImageMetrics& changed);
  void close_gaps();

  mutable std::mutex mutex_;
  std::vector<ViewPtr> views_;  ///< null where an image was removed, until close_gaps()
  std::unordered_set<std::size_t, ByImage, ByImage> places_{0, ByImage{&views_}, ByImage{&views_}};
  std::shared_ptr<const AccountNames> names_ = std::make_shared<const AccountNames>();
  const std::size_t images_in_a_block_;
  std::vector<ImageVersions> versions_;  ///< by block: the moment of the last change of the family there
  std::uint64_t moment_ = 0;
};

}  // namespace sharedrift
