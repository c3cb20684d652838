#pragma once

#include "core/result.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace sharedrift {

/// What stat says of a path: two stamps differ when the file was written, replaced, removed or made
/// (un)readable.
struct FileStamp {
  std::string path;
  int error = 0;  ///< errno of stat; 0: it exists
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp stamp_of(const std::string& path);

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
