#include "metrics/registry_page.hpp"

#include "core/text.hpp"
#include "metrics/metric_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

namespace sharedrift {

namespace {

using prometheus::ClientMetric;

const MetricSpec* find_spec(std::string_view name) {
  const auto table = metric_table();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [name](const MetricSpec& metric) { return metric.name == name; });
  return found == table.end() ? nullptr : &*found;
}

void append_name(std::string& out, std::string_view name, std::string_view suffix, const ClientMetric& metric,
                 std::string_view bound = {}) {
  out.append(name).append(suffix);
  char before = '{';
  for (const ClientMetric::Label& label : metric.label) {
    out += before;
    out.append(label.name).append("=\"");
    append_label_value(out, label.value);
    out += '"';
    before = ',';
  }
  if (!bound.empty()) {
    out += before;
    out.append("le=\"").append(bound).append("\"");
    before = ',';
  }
  if (before == ',') out += '}';
  out += ' ';
}

void append_count(std::string& out, std::uint64_t value) {
  append_number(out, static_cast<double>(value));
  out += '\n';
}

void append_histogram(std::string& out, std::string_view name, const ClientMetric& metric) {
  for (const ClientMetric::Bucket& bucket : metric.histogram.bucket) {
    std::string bound = "+Inf";
    if (std::isfinite(bucket.upper_bound)) {
      bound.clear();
      append_canonical(bound, bucket.upper_bound);
    }
    append_name(out, name, "_bucket", metric, bound);
    append_count(out, bucket.cumulative_count);
  }
  append_name(out, name, "_sum", metric);
  append_number(out, metric.histogram.sample_sum);
  out += '\n';
  append_name(out, name, "_count", metric);
  append_count(out, metric.histogram.sample_count);
}

double value_of(const ClientMetric& metric, prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter: return metric.counter.value;
    case prometheus::MetricType::Histogram: return metric.histogram.sample_sum;
    default: return metric.gauge.value;
  }
}

void append_samples(std::string& out, const MetricSpec& metric, const std::vector<ClientMetric>& samples) {
  for (const ClientMetric& sample : samples) {
    const double value = value_of(sample, metric.type);
    if (!std::isfinite(value)) continue;
    if (metric.type == prometheus::MetricType::Histogram) {
      append_histogram(out, metric.name, sample);
    } else {
      append_name(out, metric.name, "", sample);
      append_number(out, value);
      out += '\n';
    }
  }
}

}  // namespace

void append_families(std::string& out, std::vector<prometheus::MetricFamily> families, TextFormat format) {
  std::vector<std::pair<const MetricSpec*, prometheus::MetricFamily*>> known;
  for (prometheus::MetricFamily& family : families) {
    if (const MetricSpec* metric = find_spec(family.name)) known.emplace_back(metric, &family);
  }
  std::sort(known.begin(), known.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string lines;
  for (const auto& [metric, family] : known) {
    std::sort(family->metric.begin(), family->metric.end(),
              [](const ClientMetric& a, const ClientMetric& b) { return a.label < b.label; });
    lines.clear();
    append_samples(lines, *metric, family->metric);
    if (lines.empty()) continue;
    append_head(out, *metric, format);
    out += lines;
  }
}

}  // namespace sharedrift
