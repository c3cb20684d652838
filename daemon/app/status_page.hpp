#pragma once

#include "app/board.hpp"

#include <string>

namespace sharedrift {

/// The page at `/`: every image with its verdict, whole without scripts.
std::string status_page(const Fleet& fleet, WallTime now);

}  // namespace sharedrift
