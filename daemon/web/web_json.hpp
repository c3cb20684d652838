#pragma once

#include "core/enumerators.hpp"
#include "core/event.hpp"
#include "core/verdict.hpp"
#include "metrics/view_store.hpp"
#include "web/large_answer.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace sharedrift {

/// What lets an account in, or `none`.
inline std::string_view to_string(Grant grant) {
  return enumerator_name<Grant::exception>(grant);
}

// The answers of the JSON API. Times are RFC 3339; what is not known is null, never 0. Lists are written an
// item at a time: as one tree, 100,000 images would need a gigabyte.

/// An image as it is in the list.
nlohmann::ordered_json image_json(const ImageView& view, const AccountNames& names, WallTime now);

/// The image as in the list, and also the accounts believed to have access, each with what lets it in, and
/// the exceptions.
void write_image(AnswerWriter& out, const ImageView& view, const AccountNames& names, WallTime now);
/// All images, sorted by id.
void write_images(AnswerWriter& out, const Fleet& fleet, WallTime now);
/// One entry per open drift of all images.
void write_drift(AnswerWriter& out, const Fleet& fleet);
/// The same objects as in the JSON log.
void write_events(AnswerWriter& out, const std::vector<Event>& events);

/// `{"status":"error","errorType":...,"error":...}`
std::string json_error(std::string_view type, std::string_view message);

}  // namespace sharedrift
