#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sharedrift {

/// What every exporter says of its own process.
struct ProcessStats {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double start_time_seconds = 0;  ///< since 1970
  double open_fds = 0;
  double max_fds = 0;
  double threads = 0;
};

/// The fields of /proc/PID/stat that matter here, in the kernel's units.
struct ProcStat {
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  ///< since boot
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
};
/// None if the text is not such a file. The command's name in it may hold anything, blanks and brackets too.
std::optional<ProcStat> parse_proc_stat(std::string_view text);

/// Reads /proc/self and nothing else of /proc: the service may be shut out from the rest (ProcSubset=pid).
/// Thread-safe. None where /proc cannot be read.
std::optional<ProcessStats> read_process_stats();

/// Whether no more than a handful of descriptors is left: too few for a name to be looked up.
bool is_out_of_descriptors();

}  // namespace sharedrift
