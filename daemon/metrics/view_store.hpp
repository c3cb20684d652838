#pragma once

#include "core/ids.hpp"
#include "metrics/image_families.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

namespace sharedrift {

/// What readers see of all images at one moment: immutable, cheap to copy.
struct Fleet {
  std::vector<ViewPtr> views;                         ///< sorted by id
  std::shared_ptr<const AccountNames> account_names;  ///< never null
  std::uint64_t version = 0;                          ///< grows whenever a sample changes
  std::vector<std::uint64_t> versions;  ///< by image family: that of the last change of its samples
};

/// The newest view of every watched image: the poll thread puts them in, everybody else reads them.
/// Thread-safe; nobody waits for longer than it takes to copy the pointers.
class ViewStore final : public prometheus::Collectable {
 public:
  ViewStore();

  /// Replaces the view of its image, or adds it.
  void publish(ViewPtr view);
  void remove(const ImageId& image);
  /// The image is not watched any more. Where drift was open then, people see it for a day, as long as the
  /// alert about it lasts.
  void unwatch(ViewPtr view);
  /// The address book of the configuration in force.
  void set_account_names(AccountNames names);

  /// With `now`: and the images that were unwatched within the day before that while drift was open.
  [[nodiscard]] Fleet fleet(std::optional<WallTime> now = std::nullopt) const;
  [[nodiscard]] std::size_t size() const;
  /// That of the fleet now.
  [[nodiscard]] std::uint64_t version() const;
  /// The families of images as prometheus-cpp's own values. Exposition writes the same, faster.
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  void grow(const std::function<bool(const ImageFamily&)>& changed = [](const auto&) { return true; });

  mutable std::mutex mutex_;
  std::map<ImageId, ViewPtr> views_;
  std::map<ImageId, ViewPtr> unwatched_;  ///< none of views_
  std::size_t unwatched_room_ = 0;        ///< so many may be in it before the old ones are forgotten
  std::shared_ptr<const AccountNames> names_ = std::make_shared<const AccountNames>();
  std::uint64_t version_ = 0;
  std::vector<std::uint64_t> versions_;
};

}  // namespace sharedrift
