#pragma once

#include "metrics/page_writer.hpp"

#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace sharedrift {

/// Appends families that prometheus-cpp collected, heads included: in the order of the metric table, samples
/// sorted by their labels. prometheus-cpp 1.0.1 has a writer for the old text format only. Samples that are
/// not finite are left out, and families that have no others; families that are not in the table are a bug
/// and left out too.
void append_families(std::string& out, std::vector<prometheus::MetricFamily> families, TextFormat format);

}  // namespace sharedrift
