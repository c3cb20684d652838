#include "config/config_loader.hpp"
#include "config/yaml_tree.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {

namespace {

/// A descriptor that is closed with its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string reason(int error) {
  return std::generic_category().message(error);
}

}  // namespace

Result<std::string, Diagnostic> read_trusted_file(const std::string& file) {
  const auto refuse = [&file](std::string message, std::string hint = {}) {
    return Err(Diagnostic{file, 0, 0, "", std::move(message), std::move(hint)});
  };
  // O_NONBLOCK: a fifo in its place must not hold the start or a reload; regular files do not care.
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return refuse("cannot be opened: " + reason(errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return refuse("cannot be looked at: " + reason(errno));
  if (!S_ISREG(info.st_mode)) return refuse("is not a regular file");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refuse("can be changed by others than its owner", "chmod go-w " + file);
  }
  std::string text;
  text.reserve(std::min(static_cast<std::size_t>(std::max<off_t>(info.st_size, 0)), kMaxYamlBytes));
  std::string chunk(1U << 16U, '\0');
  while (text.size() <= kMaxYamlBytes) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refuse("cannot be read: " + reason(errno));
    text.append(chunk, 0, static_cast<std::size_t>(got));
  }
  return refuse("is larger than 32 MiB");
}

}  // namespace sharedrift
