#pragma once

#include "core/ids.hpp"
#include "core/non_copyable.hpp"
#include "core/view.hpp"
#include "core/watch_list.hpp"
#include "metrics/metric_spec.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace sharedrift {

using ViewPtr = std::shared_ptr<const ImageView>;

/// Series with an account id in one family, all images together: whoever shares an image with ten thousand
/// accounts moves a gauge to ten thousand and no more.
inline constexpr std::size_t kMaxAccountSeries = 200;

/// A sample of one image, for as long as its view lives.
struct ImageSample {
  double value = 0;
  std::array<std::string_view, 5> labels{};  ///< after image_id, in the order of the family's
  friend bool operator==(const ImageSample&, const ImageSample&) = default;
};

/// What an image has to say in one family.
struct ImageSamples {
  const AccountNames& names;
  std::vector<ImageSample> all{};

  void add(double value, const std::array<std::string_view, 5>& labels = {}) {
    all.push_back({value, labels});
  }
  /// A value that is not there is a sample that is not there.
  void add(const ImageView::Gauge& value) {
    if (value) add(static_cast<double>(*value));
  }
};

/// A family of images: the one place that says what it is and how its samples come from a view.
struct ImageFamily {
  MetricSpec spec;
  void (*samples)(const ImageView& view, ImageSamples& out);
  /// Shown are only the kMaxAccountSeries smallest values of all images, in their order.
  bool oldest_only = false;
  ImageView::Gauge ImageView::*json = nullptr;  ///< a value that the JSON API has too, or null
  [[nodiscard]] std::string json_name() const {
    return std::string(spec.name.substr(sizeof("share_drift_") - 1));
  }
};

/// A family of one sample that is about all images together.
struct FleetFamily {
  MetricSpec spec;
  double (*value)(const std::vector<ViewPtr>& views);
};

/// In the order of the page. Those of the fleet come after those of images.
std::span<const ImageFamily> image_families();
std::span<const FleetFamily> fleet_families();

/// Two views of one image, compared family by family. They outlive it.
class ViewComparison : NonCopyable {
 public:
  ViewComparison(const ImageView& before, const ImageView& after) : before_(before), after_(after) {}

  /// Whether they contribute different samples.
  [[nodiscard]] bool differ(const ImageFamily& family);

 private:
  const ImageView& before_;
  const ImageView& after_;
  AccountNames no_names_;
  ImageSamples old_{no_names_};  ///< kept for their room: every poll compares all families
  ImageSamples new_{no_names_};
};

/// Calls `visit(view, sample)` for each sample of the family, image by image in the order of `views`.
template <class Visit>
void for_each_sample(const ImageFamily& family, const std::vector<ViewPtr>& views, const AccountNames& names,
                     Visit visit) {
  std::vector<std::pair<const ImageView*, ImageSample>> oldest;
  ImageSamples samples{names};
  for (const ViewPtr& view : views) {
    samples.all.clear();
    family.samples(*view, samples);
    for (const ImageSample& sample : samples.all) {
      if (family.oldest_only) {
        oldest.emplace_back(view.get(), sample);
      } else {
        visit(*view, sample);
      }
    }
  }
  const auto shown = oldest.begin() + static_cast<std::ptrdiff_t>(std::min(kMaxAccountSeries, oldest.size()));
  std::partial_sort(oldest.begin(), shown, oldest.end(), [](const auto& a, const auto& b) {
    return std::tie(a.second.value, a.first->policy->id, a.second.labels) <
           std::tie(b.second.value, b.first->policy->id, b.second.labels);
  });
  for (auto row = oldest.begin(); row != shown; ++row)
    visit(*row->first, row->second);
}

}  // namespace sharedrift
