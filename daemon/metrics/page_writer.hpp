#pragma once

#include "core/time.hpp"
#include "metrics/metric_table.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sharedrift {

/// The text formats of a page: 0.0.4 of Prometheus, and OpenMetrics 1.0. They differ in how counter families
/// are named above their samples and in the line that ends the page; sample lines are the same in both.
enum class TextFormat { prometheus, openmetrics };

/// The exact Content-Type.
std::string_view content_type(TextFormat format);
/// What must follow the last family: nothing, or the end mark of OpenMetrics.
std::string_view page_end(TextFormat format);

/// The HELP and TYPE lines.
void append_head(std::string& out, const MetricSpec& metric, TextFormat format);

/// What write_number() and write_millis() need at most, in bytes.
inline constexpr std::size_t kNumberRoom = 32;
/// Writes a number as both formats take it, and returns its end.
char* write_number(char* to, std::int64_t value);
/// Milliseconds as seconds, exactly: `1795000000.25`.
char* write_millis(char* to, Millis value);

/// Numbers with a point and no exponent as far as that can be.
void append_number(std::string& out, std::int64_t value);
void append_millis(std::string& out, Millis value);
/// The shortest digits that read back as `value`; exponents only below 1e-6 and from 1e17 on. Finite values
/// only.
void append_number(std::string& out, double value);
/// As append_number, but whole numbers end in `.0`: what OpenMetrics wants in the label `le`.
void append_canonical(std::string& out, double value);

}  // namespace sharedrift
