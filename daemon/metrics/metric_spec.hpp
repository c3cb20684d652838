#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include <prometheus/metric_type.h>

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

}  // namespace sharedrift
