#include "os/process_stats.hpp"

#include "os/system_clock.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

namespace sharedrift {

namespace {

std::optional<double> count_open_fds() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return std::nullopt;
  double entries = 0;
  while (readdir(directory) != nullptr)
    ++entries;
  closedir(directory);
  constexpr double kNotOurs = 3;  // `.`, `..` and the directory being read
  return entries - kNotOurs;
}

}  // namespace

bool is_out_of_descriptors() {
  constexpr double kHandful = 4;  // a pair of sockets, the hosts file, a socket to the name server
  errno = 0;
  const std::optional<double> open_fds = count_open_fds();
  if (!open_fds) return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 && *open_fds + kHandful > static_cast<double>(limit.rlim_cur);
}

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  // proc(5) counts from 1; the first field here is 3, the state.
  constexpr std::size_t kFirst = 3;
  constexpr std::size_t kLast = 24;
  std::array<std::uint64_t, kLast + 1> fields{};
  for (std::size_t field = kFirst; field <= kLast; ++field) {
    const std::size_t start = text.find_first_not_of(' ');
    if (start == std::string_view::npos) return std::nullopt;
    text.remove_prefix(start);
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
    // some fields are letters or negative; none of those is asked for
    std::from_chars(word.data(), word.data() + word.size(), fields.at(field));
  }
  // cppcheck-suppress containerOutOfBounds ; 2.10 takes kLast + 1 for kLast
  return ProcStat{fields[14], fields[15], fields[20], fields[22], fields[23], fields[24]};
}

std::optional<ProcessStats> read_process_stats() {
  std::ifstream file("/proc/self/stat", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::optional<ProcStat> stat = parse_proc_stat(text);
  const std::optional<double> open_fds = count_open_fds();
  rlimit limit{};
  if (!stat || !open_fds || getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  ProcessStats stats;
  stats.cpu_seconds = static_cast<double>(stat->user_ticks + stat->system_ticks) / ticks;
  stats.resident_bytes =
      static_cast<double>(stat->resident_pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
  stats.virtual_bytes = static_cast<double>(stat->virtual_bytes);
  // Once, so that the start does not seem to move with the wall clock.
  static const std::chrono::duration<double> boot_time =
      std::chrono::system_clock::now().time_since_epoch() - boot_now().time_since_epoch();
  stats.start_time_seconds = boot_time.count() + static_cast<double>(stat->start_ticks) / ticks;
  stats.open_fds = *open_fds;
  stats.max_fds = static_cast<double>(limit.rlim_cur);
  stats.threads = static_cast<double>(stat->threads);
  return stats;
}

}  // namespace sharedrift
