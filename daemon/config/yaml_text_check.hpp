#pragma once

#include "config/diagnostic.hpp"

#include <string_view>

namespace sharedrift {

/// What must be known of the bytes before a YAML parser sees them: size, UTF-8, control characters, how many
/// brackets. False, and reported: it must not.
bool is_fit_for_yaml(std::string_view text, DiagnosticList& problems);

}  // namespace sharedrift
