#pragma once

#include "app/board.hpp"
#include "core/event.hpp"

#include <string>
#include <vector>

namespace sharedrift {

// The `data` of the JSON API, as text. Times are RFC 3339; what is not known is null, never 0.

std::string json_image(const ImageView& view, const AccountNames& names);
std::string json_images(const Fleet& fleet);
/// One entry per open drift, of all images.
std::string json_drift(const Fleet& fleet);
std::string json_events(const std::vector<Event>& events);

/// {"status":"success","data":...}
std::string json_success(const std::string& data);
/// {"status":"error","errorType":...,"error":...}
std::string json_error(std::string_view type, std::string_view message);

}  // namespace sharedrift
