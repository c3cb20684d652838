#pragma once

#include "store/sqlite.hpp"

#include <span>

namespace sharedrift {

/// Whether the tables and indexes are those that `migrations` make of an empty file, each written as they
/// write it but for blanks, and nothing else is there: no view, no trigger, no constraint of somebody else's.
/// Nothing of the file is run.
sqlite::Status check_schema(sqlite::Database& database, std::span<const char* const> migrations);

}  // namespace sharedrift
