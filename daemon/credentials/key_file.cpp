#include "credentials/key_file.hpp"

#include "core/text.hpp"
#include "os/descriptor.hpp"

#include <array>
#include <cerrno>
#include <cstdio>

#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {

namespace {

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

}  // namespace

Result<KeyFile, KeyFileProblem> read_key_file(const std::string& path, std::size_t max_bytes) {
  constexpr int kTries = 3;
  for (int attempt = 1;; ++attempt) {
    FileStamp stamp = stamp_of(path);
    const auto problem = [&](const std::string& what, bool missing = false) {
      return Err(KeyFileProblem{missing, clean(path, 300) + ": " + what, stamp});
    };
    const auto failed = [&](int error) {
      return problem(system_message(error), error == ENOENT || error == ENOTDIR);
    };
    if (stamp.error != 0) return failed(stamp.error);
    const Descriptor file(open_to_read(path));
    struct stat s {};
    if (file.get() < 0 || ::fstat(file.get(), &s) != 0) return failed(errno);
    if (!S_ISREG(s.st_mode)) return problem("not a regular file");
    auto bytes = read_to_end(file.get(), max_bytes);
    if (!bytes && bytes.error() == EFBIG)
      return problem("longer than " + std::to_string(max_bytes) + " bytes");
    if (!bytes) return failed(bytes.error());
    Secret text{*bytes};
    wipe(*bytes);
    stamp = stamp_of(path);
    if (stamp != to_stamp(path, s) && attempt < kTries) continue;  // it changed under our hands
    if (trim(text.reveal()).empty()) return problem("empty");
    stamp = to_stamp(path, s);
    const std::chrono::nanoseconds modified{stamp.modified_ns};
    return KeyFile{std::move(text), std::move(stamp), WallTime{std::chrono::duration_cast<Millis>(modified)},
                   mode_warning(path, s), trusted(s)};
  }
}

}  // namespace sharedrift
