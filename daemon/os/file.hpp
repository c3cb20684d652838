#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

#include <sys/stat.h>

namespace sharedrift {

/// What stat says of a path: two stamps differ when the file was written, replaced, removed or made
/// (un)readable. Symbolic links are followed: Kubernetes swaps the link.
struct FileStamp {
  std::string path;
  int error = 0;  ///< errno of stat; 0: it exists
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;  ///< nanoseconds since 1970
  std::int64_t changed_ns = 0;   ///< the same, of the inode: nobody can set it back

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp stamp_of(const std::string& path);
/// The same of a file that is open.
FileStamp to_stamp(const std::string& path, const struct stat& info);

/// What errno says, in words.
std::string system_message(int error);

/// For reading; -1 and errno on failure. A FIFO in its place does not hold the caller up.
int open_to_read(const std::string& path);

/// The bytes of an open file from where it stands, or errno; EFBIG if there are more than `max_bytes`. Leaves
/// no other copy of them behind.
Result<std::string, int> read_to_end(int fd, std::size_t max_bytes);

}  // namespace sharedrift
