#pragma once

#include "config/config.hpp"
#include "core/schedule.hpp"
#include "core/watch_list.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sharedrift {

/// Which part of a config's images this process watches.
struct Shard {
  int index = 0;
  int count = 1;
};

/// The tracker's view of a config: this shard's images, configured and `discovered`, the address book, the
/// rules.
WatchList watch_list(const Config& config, const Shard& shard,
                     const std::vector<std::shared_ptr<const ImagePolicy>>& discovered = {});
/// The discovery's view of it.
Discovery::Setup discovery_setup(const Config& config);
/// The schedule's view of it.
std::vector<Schedule::Entry> schedule_entries(const WatchList& watch);

/// The profiles whose inventory brings images to watch.
std::set<std::string> discovering(const Config& config);

}  // namespace sharedrift
