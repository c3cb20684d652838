#include "metrics/page_writer.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace sharedrift {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string_view to_string(MetricType type) {
  switch (type) {
    case MetricType::Counter: return "counter";
    case MetricType::Histogram: return "histogram";
    default: return "gauge";
  }
}

/// `bound`: the value of the label `le`, if any.
void append_sample(std::string& out, std::string_view name, std::string_view suffix,
                   const ClientMetric& metric, double value, std::string_view bound = {}) {
  out.append(name).append(suffix);
  char before = '{';
  const auto append_label = [&out, &before](std::string_view label, std::string_view text) {
    out += std::exchange(before, ',');
    out.append(label).append("=\"");
    append_label_value(out, text);
    out += '"';
  };
  for (const ClientMetric::Label& label : metric.label)
    append_label(label.name, label.value);
  if (!bound.empty()) append_label("le", bound);
  out += before == ',' ? "} " : " ";
  append_number(out, value);
  out += '\n';
}

void append_histogram(std::string& out, std::string_view name, const ClientMetric& metric) {
  for (const ClientMetric::Bucket& bucket : metric.histogram.bucket) {
    std::string bound = "+Inf";
    if (std::isfinite(bucket.upper_bound)) {
      bound.clear();
      append_number(bound, bucket.upper_bound);
      if (bound.find_first_of(".e") == std::string::npos) bound += ".0";  // as OpenMetrics wants it
    }
    append_sample(out, name, "_bucket", metric, static_cast<double>(bucket.cumulative_count), bound);
  }
  append_sample(out, name, "_sum", metric, metric.histogram.sample_sum);
  append_sample(out, name, "_count", metric, static_cast<double>(metric.histogram.sample_count));
}

}  // namespace

std::string_view content_type(TextFormat format) {
  return format == TextFormat::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                           : "text/plain; version=0.0.4; charset=utf-8";
}

std::string_view page_end(TextFormat format) {
  return format == TextFormat::openmetrics ? "# EOF\n" : "";
}

void append_head(std::string& out, const MetricSpec& metric, TextFormat format) {
  constexpr std::string_view kTotal = "_total";
  std::string_view name = metric.name;
  if (format == TextFormat::openmetrics && name.ends_with(kTotal)) name.remove_suffix(kTotal.size());
  out.append("# HELP ").append(name).append(" ").append(metric.help);
  out.append("\n# TYPE ").append(name).append(" ").append(to_string(metric.type)).append("\n");
}

void append_number(std::string& out, double value) {
  constexpr double kPlainFrom = 1e-6;
  constexpr double kPlainBelow = 1e17;
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= kPlainFrom && size < kPlainBelow);
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  out.append(buffer.data(), end.ptr);
}

void append_families(std::string& out, std::vector<MetricFamily> families, TextFormat format) {
  std::sort(families.begin(), families.end(),
            [](const MetricFamily& a, const MetricFamily& b) { return a.name < b.name; });
  for (MetricFamily& family : families) {
    if (family.metric.empty()) continue;
    append_head(out, {family.name, family.type, "", family.help}, format);
    std::sort(family.metric.begin(), family.metric.end(),
              [](const ClientMetric& a, const ClientMetric& b) { return a.label < b.label; });
    for (const ClientMetric& metric : family.metric) {
      if (family.type == MetricType::Histogram) {
        append_histogram(out, family.name, metric);
      } else {
        append_sample(out, family.name, "", metric,
                      family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value);
      }
    }
  }
}

}  // namespace sharedrift
