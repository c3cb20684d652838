#pragma once

#include "config/config.hpp"
#include "config/diagnostic.hpp"
#include "core/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

using ConfigResult = Result<Config, std::vector<Diagnostic>>;

/// Text to Config, or everything that is wrong with it at once, in the order of the file. Strict: unknown
/// and duplicate keys, anchors, aliases, merge keys, second documents, wrong kinds,
/// types and ranges are errors. `file` is only used in diagnostics. Throws nothing.
ConfigResult parse_config(std::string_view text, const std::string& file);

/// Reads and parses. Also refused: a file over 32 MiB, one that is not a regular file, and one that group or
/// others can write.
ConfigResult load_config(const std::string& file);

/// Reads a file whose contents are trusted: one open, and every check is made of what was opened. A symbolic
/// link is followed (Kubernetes mounts configs as such). The error is about the file as a whole.
Result<std::string, Diagnostic> read_trusted_file(const std::string& file);

}  // namespace sharedrift
