#pragma once

#include "metrics/metric_spec.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

namespace sharedrift {

/// The text formats of a page: 0.0.4 of Prometheus, and OpenMetrics 1.0. They differ in how counter families
/// are named above their samples and in the line that ends the page; sample lines are the same in both.
enum class TextFormat { prometheus, openmetrics };

/// The exact Content-Type.
std::string_view content_type(TextFormat format);
/// What must follow the last family: nothing, or the end mark of OpenMetrics.
std::string_view page_end(TextFormat format);

/// The HELP and TYPE lines of a family.
void append_head(std::string& out, const MetricSpec& metric, TextFormat format);

/// The shortest digits that read back as `value`, with a point; exponents only below 1e-6 and from 1e17 on.
/// Finite values only.
void append_number(std::string& out, double value);

/// Appends families of prometheus-cpp, heads included, in either format; its own writer knows only the older
/// one. Gauges, counters and histograms only, sorted by name, their samples by labels; families without any
/// are left out.
void append_families(std::string& out, std::vector<prometheus::MetricFamily> families, TextFormat format);

}  // namespace sharedrift
