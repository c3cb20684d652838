#pragma once

#include "core/event.hpp"
#include "core/policy.hpp"
#include "core/verdict.hpp"
#include "metrics/view_store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

// The `data` of the JSON API. Times are RFC 3339; what is not known is null, never 0. Appended as text, since
// a tree of ten thousand images costs more than all the rest of the answer.

/// The image as in the list, and also the accounts believed to have access, each with what lets it in, and
/// the exceptions.
void append_image_json(std::string& out, const ImageView& view, const AccountNames& names,
                       const JudgingAt& at);
/// All images, sorted by id.
void append_images_json(std::string& out, const Fleet& fleet, const JudgingAt& at);
/// One entry per open drift of all images.
void append_drift_json(std::string& out, const Fleet& fleet);
/// The same objects as in the JSON log.
void append_events_json(std::string& out, const std::vector<Event>& events);

/// `{"status":"error","errorType":...,"error":...}`
std::string json_error(std::string_view type, std::string_view message);

}  // namespace sharedrift
