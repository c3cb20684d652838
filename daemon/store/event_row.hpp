#pragma once

#include "core/event.hpp"

#include <string>
#include <vector>

namespace sharedrift {

/// The fields of an event as a JSON object, in their order; times become text as RFC 3339 has them.
std::string fields_to_json(const std::vector<Field>& fields);

/// The way back. What is not an object of plain values gives what can be read of it, if only nothing: such a
/// row is not ours. Times stay text.
std::vector<Field> fields_from_json(const std::string& text);

}  // namespace sharedrift
