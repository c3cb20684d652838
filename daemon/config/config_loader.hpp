#pragma once

#include "config/config.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// One thing wrong in a file. Printed as `file:line:column: path: message (hint)`.
struct Diagnostic {
  std::string file;
  int line = 0;      ///< from 1; 0: the file as a whole
  int column = 0;    ///< from 1
  std::string path;  ///< e.g. `images[2].allowed[0]`; may be empty
  std::string message;
  std::string hint;  ///< e.g. `did you mean "required"?`; may be empty
};
std::string to_string(const Diagnostic& diagnostic);

using ConfigResult = Result<Config, std::vector<Diagnostic>>;

/// Text to Config, or everything that is wrong with it at once, in the order of the file. Strict (product.md,
/// "Configuration"): unknown and duplicate keys, anchors, aliases, merge keys, second documents, wrong kinds,
/// types and ranges are errors. `file` is only used in diagnostics. Throws nothing.
ConfigResult parse_config(std::string_view text, const std::string& file);

/// Reads and parses. Also refused: a file over 4 MiB (32 MiB is the hard cap for very large fleets, see the
/// implementation), one that is not a regular file, and one that group or others can write (threat M7).
ConfigResult load_config(const std::string& file);

}  // namespace sharedrift
