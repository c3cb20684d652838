#include "metrics/image_collectable.hpp"

#include "core/text.hpp"

#include <string>
#include <utility>

namespace sharedrift {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

MetricFamily collect(const ImageFamily& family, const Fleet& fleet) {
  MetricFamily collected = family_of(family.spec);
  const std::vector<std::string_view> labels = label_names(family.spec);
  for_each_sample(family, fleet.views, *fleet.account_names,
                  [&](const ImageView& view, const ImageSample& sample) {
                    ClientMetric& metric = add_sample(collected, sample.value);
                    metric.label.push_back({std::string(labels.front()), view.policy->id.str()});
                    for (std::size_t i = 1; i < labels.size(); ++i)
                      metric.label.push_back({std::string(labels[i]), valid_utf8(sample.labels.at(i - 1))});
                  });
  return collected;
}

}  // namespace

std::vector<MetricFamily> ImageCollectable::Collect() const {
  const Fleet fleet = views_.fleet();
  std::vector<MetricFamily> families;
  for (const ImageFamily& family : image_families()) {
    MetricFamily collected = collect(family, fleet);
    if (!collected.metric.empty()) families.push_back(std::move(collected));
  }
  for (const FleetFamily& family : fleet_families()) {
    families.push_back(family_of(family.spec));
    add_sample(families.back(), family.value(fleet.views));
  }
  return families;
}

}  // namespace sharedrift
