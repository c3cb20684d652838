#pragma once

#include "core/ids.hpp"
#include "core/inventory.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sharedrift {

/// An image that the account owns, as far as anybody knows.
struct OwnedImage {
  std::string name;                 ///< as the inventory has it now
  std::optional<WallTime> created;  ///< as the API says
  WallTime since;                   ///< when a walk of ours saw it first
  bool listed = false;              ///< the last proven inventory has it
  bool missed = false;              ///< the last proven inventory lacks it, and no row came since
  std::int32_t absences = 0;        ///< proven inventories in a row that lack it and count
};

/// An owned image that a rule brought under watch, as it is remembered over restarts.
struct DiscoveredImage {
  ImageId id;
  std::string profile;
  std::string rule;                 ///< label of the rule that fitted first
  std::string name;                 ///< the last one
  std::optional<WallTime> created;  ///< as the API says
  WallTime since;                   ///< when it was discovered
  std::string config;               ///< of the configuration by which the rule was chosen
  friend bool operator==(const DiscoveredImage&, const DiscoveredImage&) = default;
};

/// What is known of the images of one profile's account, from walk to walk. Presence is cheap: any row makes
/// an image known. It is known until `confirm_clears` proven inventories in a row lack it. An inventory that
/// lost more than mass_change_percent of the known images at once does not count as one of them. Of images
/// that come there is room for a number; who is known stays. Pure: time is an argument. Not thread-safe.
class OwnedImages {
 public:
  /// From so many known images on, a mass change is one.
  static constexpr std::size_t kGuardedFrom = 10;
  /// An inventory proves something until it is so many of its intervals old.
  static constexpr int kIntervalsOfProof = 3;

  struct Rules {
    Millis interval{};
    int confirm_clears = 2;
    int mass_change_percent = 20;
    std::size_t most = 100'000;  ///< images: as many as a walk can list
  };
  /// What a walk brought.
  struct News {
    std::vector<ImageId> came;
    std::vector<std::pair<ImageId, std::string>> renamed;  ///< with the name before
    std::vector<ImageId> left;                             ///< on proof
  };

  News take(const InventoryListing& seen, Instant now, const Rules& rules);
  /// Of an earlier life: it is known until its absence is proven.
  void remember(const ImageId& id, const OwnedImage& image) { images_.try_emplace(id, image); }

  /// Whether a proven inventory that is not too old lists the image.
  [[nodiscard]] bool proves(const ImageId& id, MonoTime now, const Rules& rules) const;
  /// Whether there is a proven inventory that is not too old.
  [[nodiscard]] bool is_proven(MonoTime now, const Rules& rules) const;
  [[nodiscard]] const std::map<ImageId, OwnedImage>& images() const { return images_; }
  /// How many images the last walk listed for which there was no room. An inventory with such ones proves
  /// nothing but what it lacks.
  [[nodiscard]] std::size_t left_out() const { return left_out_; }
  [[nodiscard]] std::optional<WallTime> last_complete() const { return last_complete_; }
  /// When the next walk is due: an interval after the last one ended; at once if there was none.
  [[nodiscard]] MonoTime next_walk(MonoTime now, Millis interval) const {
    return last_walk_ ? std::max(now, *last_walk_ + interval) : now;
  }
  /// Whether what is known is of a walk of this life, and the next one need not go another way.
  [[nodiscard]] bool was_walked() const { return last_walk_.has_value(); }
  /// The next walk goes another way: it is due at once.
  void walk_anew() { last_walk_.reset(); }

 private:
  std::vector<ImageId> miss(const InventoryListing& seen, const Rules& rules);

  std::map<ImageId, OwnedImage> images_;
  std::size_t left_out_ = 0;
  std::optional<WallTime> last_complete_;
  MonoTime last_complete_mono_;
  std::optional<MonoTime> last_walk_;
};

/// What is shown of an inventory.
struct InventoryView {
  /// None: not known, or a 0 whose proof is too old (a 0 is a claim).
  using Count = std::optional<std::int64_t>;
  static constexpr std::size_t kMostNamed = 10;
  Count images;
  Count unwatched;  ///< neither configured, nor discovered, nor ignored
  Count ignored;
  std::vector<std::pair<ImageId, std::string>>
      some_unwatched;  ///< up to kMostNamed, with names other than it
  std::optional<WallTime> last_complete;
  std::optional<Failure> failure;  ///< why the last walk was not complete
  Count left_out;                  ///< of the unwatched, those for which there is no room
};

}  // namespace sharedrift
