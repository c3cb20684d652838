#pragma once

#include "config/config.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// A configuration in force as YAML that parse_config() reads as the same configuration, with groups resolved
/// and every default written out. Login names, passwords and queries in addresses are masked, so that it can
/// be shown.
std::string to_yaml(const Config& config);

/// What `baseline` adds to a config file.
struct NewExceptions {
  std::map<ImageId, std::vector<AccountId>> accounts;  ///< of every image to be written; may be none
  std::string expires;                                 ///< `YYYY-MM-DD`
};
/// The `images:` of a file of a configuration that parse_config() accepts, as they stand there, and new
/// exceptions without owner, ticket and reason; one that has ended gives way to its account's new one.
/// Nothing for a file without `images:`.
std::string images_section(std::string_view config_text, const NewExceptions& added);

}  // namespace sharedrift
