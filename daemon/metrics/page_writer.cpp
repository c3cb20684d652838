#include "metrics/page_writer.hpp"

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

char* write_number(char* to, std::int64_t value) {
  return std::to_chars(to, to + kNumberRoom, value).ptr;
}

char* write_millis(char* to, Millis value) {
  constexpr std::int64_t kPerSecond = 1000;
  const std::int64_t whole = value.count() / kPerSecond;
  std::int64_t rest = value.count() % kPerSecond;
  if (rest < 0) {
    rest = -rest;
    if (whole == 0) *to++ = '-';
  }
  to = std::to_chars(to, to + kNumberRoom - 5, whole).ptr;
  if (rest == 0) return to;
  *to++ = '.';
  *to++ = static_cast<char>('0' + rest / 100);
  if (rest % 100 != 0) *to++ = static_cast<char>('0' + rest / 10 % 10);
  if (rest % 10 != 0) *to++ = static_cast<char>('0' + rest % 10);
  return to;
}

void append_number(std::string& out, std::int64_t value) {
  std::array<char, kNumberRoom> buffer;
  out.append(buffer.data(), write_number(buffer.data(), value));
}

void append_millis(std::string& out, Millis value) {
  std::array<char, kNumberRoom> buffer;
  out.append(buffer.data(), write_millis(buffer.data(), value));
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
