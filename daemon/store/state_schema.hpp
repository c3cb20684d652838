#pragma once

#include "store/sqlite.hpp"

#include <cstdint>

namespace sharedrift {

inline constexpr std::int64_t kStateApplicationId = 0x53445246;  ///< "SDRF"
/// Of the tables. 1: the first; 2: when the last complete listing began, the last TotalCount, and whether an
/// empty list would be a change; 3: without the latter; 4: discovered images;
/// 5: since when an image is not watched any more.
inline constexpr std::int64_t kStateVersion = 5;

/// Makes the tables in a new file, and takes those of an earlier version over. Refuses what is foreign,
/// damaged or of a later version, and what holds anything but the tables and indexes that the versions made:
/// a view, a trigger, a constraint of somebody else's. Nothing of the file is run before that.
sqlite::Status prepare_tables(sqlite::Database& database);

}  // namespace sharedrift
