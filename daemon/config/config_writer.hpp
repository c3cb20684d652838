#pragma once

#include "config/config.hpp"

#include <string>

namespace sharedrift {

/// A configuration in force as YAML that parse_config() reads as the same configuration, with groups resolved
/// and every default written out. Login names, passwords and queries in addresses are masked, so that it can
/// be shown.
std::string to_yaml(const Config& config);

}  // namespace sharedrift
