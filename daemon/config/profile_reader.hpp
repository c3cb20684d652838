#pragma once

#include "config/config.hpp"
#include "config/yaml_reader.hpp"

namespace sharedrift {

/// Reads one entry of `profiles:`. What is wrong was reported; the rest has its defaults.
ProfileConfig read_profile(YamlReader& reader, std::string_view name, const Place& at);

/// Reads `credentials:`.
CredentialSpec read_credentials(YamlReader& reader, const Place& at);

}  // namespace sharedrift
