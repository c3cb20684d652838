#include "credentials/key_file.hpp"

#include "core/text.hpp"
#include "os/descriptor.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {

namespace {

std::int64_t nanoseconds(const timespec& t) {
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

FileStamp to_stamp(const std::string& path, const struct stat& s) {
  return {path, 0, s.st_dev, s.st_ino, s.st_size, nanoseconds(s.st_mtim), nanoseconds(s.st_ctim)};
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

/// A group may read (0640 root:daemon is the usual way to hand a key to a daemon, and systemd shows its
/// per-service ACL as group bits); anything more is worth a word.
std::string mode_warning(const std::string& path, const struct stat& s) {
  const auto mode = static_cast<unsigned>(s.st_mode & 07777U);
  std::array<char, 8> octal{};
  std::snprintf(octal.data(), octal.size(), "%04o", mode);
  if ((mode & 0022U) != 0) {
    return clean(path, 300) + " can be written by others (mode " + octal.data() + "): chmod 600 it";
  }
  if ((mode & 0007U) != 0) {
    return clean(path, 300) + " can be read by everybody (mode " + octal.data() + "): chmod 600 it";
  }
  if (s.st_uid != 0 && s.st_uid != ::geteuid()) {
    return clean(path, 300) + " belongs to user " + std::to_string(s.st_uid) +
           ", who can change it: chown it to root";
  }
  return {};
}

bool trusted(const struct stat& s) {
  return (s.st_mode & 0022U) == 0 && (s.st_uid == 0 || s.st_uid == ::geteuid());
}

/// The bytes of an open file, or nothing when it is longer than `max_bytes`; errno is set on a read error.
std::optional<Secret> read_all(int fd, std::size_t max_bytes) {
  std::string text(max_bytes + 1, '\0');
  std::size_t size = 0;
  errno = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  std::optional<Secret> result;
  if (size <= max_bytes && errno == 0) result.emplace(std::string_view{text}.substr(0, size));
  wipe(text);
  return result;
}

}  // namespace

FileStamp stamp_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) {
    FileStamp stamp;
    stamp.path = path;
    stamp.error = errno;
    return stamp;
  }
  return to_stamp(path, s);
}

Result<KeyFile, KeyFileProblem> read_key_file(const std::string& path, std::size_t max_bytes) {
  const auto problem = [&path](const std::string& what, FileStamp stamp, int error = 0) {
    const bool missing = error == ENOENT || error == ENOTDIR;
    return Err(KeyFileProblem{missing, clean(path, 300) + ": " + what, std::move(stamp)});
  };
  constexpr int kTries = 3;
  for (int attempt = 1;; ++attempt) {
    FileStamp before = stamp_of(path);
    if (before.error != 0) {
      const int error = before.error;
      return problem(reason(error), std::move(before), error);
    }
    // O_NONBLOCK: a FIFO in its place must not hold us up.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) {
      const int error = errno;
      return problem(reason(error), std::move(before), error);
    }
    struct stat s {};
    if (::fstat(file.get(), &s) != 0) return problem(reason(errno), std::move(before));
    if (!S_ISREG(s.st_mode)) return problem("not a regular file", std::move(before));
    std::optional<Secret> text = read_all(file.get(), max_bytes);
    if (!text) {
      const int error = errno;
      return problem(error != 0 ? reason(error) : "longer than " + std::to_string(max_bytes) + " bytes",
                     std::move(before));
    }
    FileStamp after = stamp_of(path);
    if (after != to_stamp(path, s) && attempt < kTries) continue;  // it changed under our hands
    if (trim(text->reveal()).empty()) return problem("empty", std::move(after));
    return KeyFile{
        std::move(*text), to_stamp(path, s),
        WallTime{std::chrono::duration_cast<Millis>(std::chrono::nanoseconds{nanoseconds(s.st_mtim)})},
        mode_warning(path, s), trusted(s)};
  }
}

}  // namespace sharedrift
