#pragma once

#include "config/config.hpp"

#include <string>
#include <string_view>

namespace sharedrift {

/// A configuration in force as YAML that parse_config() reads as the same configuration, with groups resolved
/// and every default written out. Login names, passwords and queries in addresses are masked, so that it can
/// be shown.
std::string to_yaml(const Config& config);

/// Text as a YAML scalar in double quotes, whatever it holds.
std::string yaml_string(std::string_view text);

}  // namespace sharedrift
