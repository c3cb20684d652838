#pragma once

#include "metrics/view_store.hpp"

#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

namespace sharedrift {

/// The families of images as prometheus-cpp's own values, made anew for each collection. Exposition writes
/// the same, faster.
class ImageCollectable final : public prometheus::Collectable {
 public:
  /// `views` must outlive it.
  explicit ImageCollectable(const ViewStore& views) : views_(views) {}
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const ViewStore& views_;
};

}  // namespace sharedrift
