#pragma once

#include "metrics/view_store.hpp"
#include "web/web_json.hpp"

#include <string>
#include <string_view>

namespace sharedrift {

/// What the page is made from besides the images.
struct StatusPageFrame {
  JudgingAt at;
  std::string_view telemetry_path;  ///< begins with a slash
};

/// The page at `/`: the verdict on all images in one sentence, then every image, the worst first. Whole
/// without scripts; the script asks for it again and swaps in what changed. Nothing from outside reaches it
/// unescaped.
std::string status_page(const Fleet& fleet, const StatusPageFrame& frame);

}  // namespace sharedrift
