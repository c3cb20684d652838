#include "metrics/page_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace sharedrift {

namespace {

using prometheus::MetricType;

std::string_view to_string(MetricType type) {
  switch (type) {
    case MetricType::Counter: return "counter";
    case MetricType::Histogram: return "histogram";
    default: return "gauge";
  }
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

void append_canonical(std::string& out, double value) {
  const std::size_t start = out.size();
  append_number(out, value);
  if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

}  // namespace sharedrift
