#pragma once

#include "config/config.hpp"
#include "config/config_files.hpp"
#include "config/diagnostic.hpp"
#include "core/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

using ConfigResult = Result<Config, std::vector<Diagnostic>>;

/// The files of one configuration (one at least) to Config, or everything that is wrong with them at once, in
/// their order. Strict: unknown and duplicate keys, anchors, aliases, merge keys, second documents, wrong
/// kinds, types and ranges are errors. Throws nothing.
enum class Watching { something, anything };
/// `anything`: it may name no image.
ConfigResult parse_config(const std::vector<ConfigFile>& files, Watching watching = Watching::something);

/// The same of one file; its name is only used in diagnostics.
ConfigResult parse_config(std::string_view text, const std::string& file);

}  // namespace sharedrift
