#include "os/file.hpp"

#include "core/secret.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace sharedrift {

namespace {

std::int64_t nanoseconds(const timespec& t) {
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

FileStamp to_stamp(const std::string& path, const struct stat& info) {
  return {
      path, 0, info.st_dev, info.st_ino, info.st_size, nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
}

FileStamp stamp_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) return to_stamp(path, info);
  FileStamp none;
  none.path = path;
  none.error = errno;
  return none;
}

std::string system_message(int error) {
  return std::generic_category().message(error);
}

int open_to_read(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

Result<std::string, int> read_to_end(int fd, std::size_t max_bytes) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Err(errno);
  // One byte more than it has: the end is seen without growing.
  std::string text(std::min(static_cast<std::size_t>(std::max<off_t>(info.st_size, 0)), max_bytes) + 1, '\0');
  std::size_t size = 0;
  int error = 0;
  while (error == 0 && size <= max_bytes) {
    if (size == text.size()) {  // it grows while it is read
      std::string larger(std::min(2 * size, max_bytes + 1), '\0');
      std::copy(text.begin(), text.end(), larger.begin());
      wipe(text);
      text.swap(larger);
    }
    const ssize_t got = ::read(fd, text.data() + size, text.size() - size);
    if (got == 0) break;
    if (got > 0) size += static_cast<std::size_t>(got);
    if (got < 0 && errno != EINTR) error = errno;
  }
  if (error == 0 && size > max_bytes) error = EFBIG;
  if (error != 0) {
    wipe(text);
    return Err(error);
  }
  text.resize(size);
  return text;
}

}  // namespace sharedrift
