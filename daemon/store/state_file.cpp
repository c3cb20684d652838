#include "store/state_file.hpp"

#include "core/account_room.hpp"
#include "core/text.hpp"
#include "os/descriptor.hpp"
#include "os/file.hpp"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {

namespace {

/// A link would have whoever may write to the directory choose a file of ours somewhere else.
constexpr int kOurs = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
constexpr mode_t kForOwner = 0600;
constexpr off_t kMostBytes = 4LL << 30;

Err<sqlite::Error> not_to_be_had(std::string why) {
  return Err(sqlite::Error{SQLITE_CANTOPEN, std::move(why)});
}

}  // namespace

StateLimits StateLimits::of(const WatchList& watch) {
  StateLimits limits{100'000 + 2 * watch.images.size(), 500'000};
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
  const int fd = ::open(lock_path.c_str(), kOurs, kForOwner);
  if (fd < 0 && errno == ELOOP)
    return Err("the lock file " + clean(lock_path) + " is a symbolic link; remove it");
  if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(fd);
    return Err("the state database " + clean(path) +
               " is in use by another share-drift-exporter; give this one a --storage.path of its own");
  }
  return fd;
}

sqlite::Status ready_state_file(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), kOurs, kForOwner));
  if (fd.get() < 0 && errno == ELOOP) return not_to_be_had("it is a symbolic link");
  struct stat info {};
  if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) return not_to_be_had(system_message(errno));
  if (!S_ISREG(info.st_mode)) return not_to_be_had("it is not a file");
  ::fchmod(fd.get(), kForOwner);
  struct stat log {};
  if (::lstat((path + "-wal").c_str(), &log) == 0) info.st_size = std::max(info.st_size, log.st_size);
  if (info.st_size > kMostBytes) return sqlite::unusable_file("too large: more than 4 GiB");
  return Unit{};
}

}  // namespace sharedrift
