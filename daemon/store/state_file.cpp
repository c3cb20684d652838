#include "store/state_file.hpp"

#include "core/policy.hpp"
#include "core/text.hpp"
#include "core/unwatched_images.hpp"
#include "os/descriptor.hpp"
#include "os/file.hpp"

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {

namespace {

constexpr mode_t kForOwner = 0600;
constexpr off_t kMostBytes = 4LL << 30;

Err<sqlite::Error> not_to_be_had(std::string why) {
  return Err(sqlite::Error{SQLITE_CANTOPEN, std::move(why)});
}

/// Why a file of ours was not made by this daemon, so that whoever put it there chose what is written; empty:
/// it was.
std::string_view fault_of(const struct stat& info) {
  if (S_ISLNK(info.st_mode)) return "is a symbolic link; remove it";
  if (!S_ISREG(info.st_mode)) return "is not a file; remove it";
  if (info.st_nlink > 1) return "is a hard link: the file has another name too; remove it";
  if (info.st_uid != 0 && info.st_uid != ::geteuid())
    return "belongs to another user; remove it, or chown it";
  return {};
}

/// Opens and judges the same file. SQLite opens the database once more, by its name. -1, and errno: it cannot
/// be opened. An error: something is planted there.
Result<int, std::string> open_ours(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kForOwner));
  const int error = errno;
  struct stat info {};
  const bool there = fd.get() >= 0 ? ::fstat(fd.get(), &info) == 0 : ::lstat(path.c_str(), &info) == 0;
  const std::string_view why = there ? fault_of(info) : std::string_view{};
  if (!why.empty()) return Err(clean(path) + " " + std::string{why});
  errno = error;
  return fd.release();
}

}  // namespace

StateLimits StateLimits::of(const WatchList& watch) {
  constexpr std::size_t kUnwatched = UnwatchedImages::kMostRows;
  StateLimits limits{kUnwatched + 100'000 + 2 * watch.images.size(), kUnwatched + 500'000};
  for (const auto& policy : watch.images)
    limits.rows += 2 * account_room(*policy);  // a sighting and a drift of each
  return limits;
}

std::string state_path(const std::string& option) {
  if (!option.empty()) return option;
  const char* directory = std::getenv("STATE_DIRECTORY");
  const bool named = directory != nullptr && *directory != '\0';
  return std::string{named ? directory : "/var/lib/share-drift-exporter"} + "/state.db";
}

Result<int, std::string> lock_state(const std::string& path) {
  const std::string lock_path = path + ".lock";
  auto opened = open_ours(lock_path);
  if (!opened) return Err("the lock file " + opened.error());
  const int fd = *opened;
  if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(fd);
    return Err("the state database " + clean(path) +
               " is in use by another share-drift-exporter; give this one a --storage.path of its own");
  }
  return fd;
}

sqlite::Status ready_state_file(const std::string& path) {
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {  // SQLite opens them, and follows no link
    struct stat beside {};
    if (::lstat((path + suffix).c_str(), &beside) != 0) continue;
    if (const auto why = fault_of(beside); !why.empty())
      return not_to_be_had(clean(path + suffix) + " " + std::string{why});
  }
  auto opened = open_ours(path);
  if (!opened) return not_to_be_had(std::move(opened).error());
  const Descriptor fd(*opened);
  struct stat info {};
  if (fd.get() < 0 && (errno == ENOENT || errno == ENOTDIR))
    return not_to_be_had("there is no such folder; make it, or name another file with --storage.path");
  if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) return not_to_be_had(system_message(errno));
  ::fchmod(fd.get(), kForOwner);
  struct stat log {};
  if (::lstat((path + "-wal").c_str(), &log) == 0) info.st_size = std::max(info.st_size, log.st_size);
  if (info.st_size > kMostBytes) return sqlite::unusable_file("too large: more than 4 GiB");
  return Unit{};
}

}  // namespace sharedrift
