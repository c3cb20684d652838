#pragma once

#include "core/verdict.hpp"
#include "metrics/self_metrics.hpp"
#include "metrics/view_store.hpp"
#include "web/large_answer.hpp"

#include <string_view>

namespace sharedrift {

/// What the page is made from besides the images.
struct StatusPageFrame {
  WallTime now;
  std::string_view telemetry_path;  ///< begins with a slash
  OwnHealth health;
};

/// The page at `/`: the verdict on all images in one sentence, then how the exporter itself is, then every
/// image, the worst first. Whole without scripts; the script asks for it again and swaps in what changed.
/// Nothing from outside reaches it unescaped.
void write_status_page(AnswerWriter& out, const Fleet& fleet, const StatusPageFrame& frame);

}  // namespace sharedrift
