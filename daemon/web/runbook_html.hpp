#pragma once

#include "core/ids.hpp"

#include <string>
#include <string_view>

namespace sharedrift {

/// What the runbook of an alert says, from its first heading on, with the image's id filled in: headings,
/// paragraphs, lists and lines for a shell. Links lead nowhere from the page, so only their words stay.
std::string runbook_html(std::string_view alert, const ImageId& image);

}  // namespace sharedrift
