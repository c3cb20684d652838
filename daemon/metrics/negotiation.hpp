#pragma once

#include "metrics/exposition.hpp"
#include "metrics/page_writer.hpp"

#include <string_view>

namespace sharedrift {

/// The format that an Accept header asks for: OpenMetrics 1.0 where it is named and wanted at least as much
/// as plain text; plain text for everything else, an Accept that nothing fits included, as Prometheus' own
/// clients do it.
TextFormat negotiate_format(std::string_view accept);

/// gzip if an Accept-Encoding header wants it with a weight above 0 and not less than no coding.
Encoding negotiate_encoding(std::string_view accept_encoding);

}  // namespace sharedrift
