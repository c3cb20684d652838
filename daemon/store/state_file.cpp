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

constexpr int kOurs = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
constexpr mode_t kForOwner = 0600;
constexpr off_t kMostBytes = 4LL << 30;

Err<sqlite::Error> not_to_be_had(std::string why) {
  return Err(sqlite::Error{SQLITE_CANTOPEN, std::move(why)});
}

/// What lies in the place of a file of ours and was not made by this daemon, so that whoever put it there
/// chose what is written; empty: nothing does.
std::string planted(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  const std::string_view why =
      S_ISLNK(info.st_mode)    ? "is a symbolic link; remove it"
      : !S_ISREG(info.st_mode) ? "is not a file; remove it"
      : info.st_nlink > 1      ? "is a hard link: the file has another name too; remove it"
      : info.st_uid != 0 && info.st_uid != ::geteuid() ? "belongs to another user; remove it, or chown it"
                                                       : "";
  return why.empty() ? "" : clean(path) + " " + std::string{why};
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
  if (std::string why = planted(lock_path); !why.empty()) return Err("the lock file " + why);
  const int fd = ::open(lock_path.c_str(), kOurs, kForOwner);
  if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(fd);
    return Err("the state database " + clean(path) +
               " is in use by another share-drift-exporter; give this one a --storage.path of its own");
  }
  return fd;
}

sqlite::Status ready_state_file(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    if (std::string why = planted(path + suffix); !why.empty()) return not_to_be_had(std::move(why));
  }
  const Descriptor fd(::open(path.c_str(), kOurs, kForOwner));
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
