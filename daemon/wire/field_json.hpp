#pragma once

#include "core/event.hpp"

#include <string>
#include <vector>

namespace sharedrift {

/// Fields as a JSON object, in their order; times become text as RFC 3339 has them, invalid UTF-8 U+FFFD.
/// `ascii_only`: every other character is an escape, so that nothing in the text moves a cursor or turns the
/// reading direction.
std::string fields_to_json(const std::vector<Field>& fields, bool ascii_only = false);

/// The way back. What is not an object of plain values gives what can be read of it, if only nothing: such a
/// row is not ours. Times stay text.
std::vector<Field> fields_from_json(const std::string& text);

}  // namespace sharedrift
