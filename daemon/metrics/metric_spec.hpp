#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

namespace sharedrift {

/// What a family of metrics is, whoever writes it.
struct MetricSpec {
  std::string_view name;  ///< as samples of gauges and counters carry it; counters end in `_total`
  prometheus::MetricType type;
  std::string_view labels;  ///< their names, with commas, in the order of the page; "" if none
  std::string_view help;  ///< a constant line without `\`, `"` or line end: no format escapes anything in it
};

/// The names in `labels`.
inline std::vector<std::string_view> label_names(const MetricSpec& spec) {
  std::vector<std::string_view> names;
  for (std::string_view rest = spec.labels; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    names.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return names;
}

/// A family without samples yet.
inline prometheus::MetricFamily family_of(const MetricSpec& spec) {
  return {std::string(spec.name), std::string(spec.help), spec.type, {}};
}

/// A sample of a gauge or counter, without labels yet.
inline prometheus::ClientMetric& add_sample(prometheus::MetricFamily& family, double value) {
  prometheus::ClientMetric& sample = family.metric.emplace_back();
  (family.type == prometheus::MetricType::Counter ? sample.counter.value : sample.gauge.value) = value;
  return sample;
}

}  // namespace sharedrift
