#include "app/page_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace sharedrift {

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
  if (format == TextFormat::openmetrics && metric.kind == MetricKind::counter) {
    name.remove_suffix(kTotal.size());
  }
  out.append("# HELP ").append(name).append(" ").append(metric.help);
  out.append("\n# TYPE ").append(name).append(" ").append(to_string(metric.kind)).append("\n");
}

void append_number(std::string& out, std::int64_t value) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), end.ptr);
}

void append_millis(std::string& out, Millis value) {
  constexpr std::int64_t kPerSecond = 1000;
  std::int64_t whole = value.count() / kPerSecond;
  std::int64_t rest = value.count() % kPerSecond;
  if (rest < 0) {
    rest = -rest;
    if (whole == 0) out += '-';
  }
  append_number(out, whole);
  if (rest == 0) return;
  const std::array<char, 4> fraction{'.', static_cast<char>('0' + rest / 100),
                                     static_cast<char>('0' + rest / 10 % 10),
                                     static_cast<char>('0' + rest % 10)};
  const std::size_t digits = rest % 10 != 0 ? 3 : rest % 100 != 0 ? 2 : 1;
  out.append(fraction.data(), 1 + digits);
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
