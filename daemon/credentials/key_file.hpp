#pragma once

#include "core/result.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"
#include "os/file.hpp"

#include <cstddef>
#include <string>

namespace sharedrift {

struct KeyFile {
  Secret text;
  FileStamp stamp;
  WallTime modified;
  std::string warning;  ///< others may read or write it; empty: its mode is fine
  bool trusted = true;  ///< nobody but root and this user can change it
};

struct KeyFileProblem {
  bool missing = false;  ///< no such file
  std::string what;      ///< for people; names the path, never shows the content
  FileStamp stamp;
};

/// Reads a whole regular file of `max_bytes` at most; an empty one is a problem. A file that changes while it
/// is read is read again.
Result<KeyFile, KeyFileProblem> read_key_file(const std::string& path, std::size_t max_bytes);

}  // namespace sharedrift
