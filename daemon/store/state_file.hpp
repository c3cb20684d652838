#pragma once

#include "core/result.hpp"
#include "core/watch_list.hpp"
#include "store/sqlite.hpp"

#include <cstddef>
#include <string>

namespace sharedrift {

/// What is read of a state database: more than a daemon writes that watches these images, and no more than
/// fits into memory beside them.
struct StateLimits {
  std::size_t images;
  std::size_t rows;  ///< about accounts, of all images together
  static StateLimits of(const WatchList& watch);
};

/// Of the state database: `option`, else $STATE_DIRECTORY/state.db, else the packages' place.
std::string state_path(const std::string& option);

/// Opens the lock file beside the database and locks it. -1: it cannot be had, which is no reason to stop.
/// The error is for people: another daemon has it, or something is planted there: a link, symbolic or hard,
/// what is no file, what belongs to another user.
Result<int, std::string> lock_state(const std::string& path);

/// Makes sure that there is a file at `path`, for its owner alone, no larger than can be looked through, and
/// that neither it nor a file that SQLite keeps beside it is planted. An error that is unusable() is about
/// what it holds.
sqlite::Status ready_state_file(const std::string& path);

}  // namespace sharedrift
