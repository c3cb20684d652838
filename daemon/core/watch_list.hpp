#pragma once

#include "core/policy.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sharedrift {

/// What is watched and by which rules; one accepted configuration.
struct WatchList {
  std::vector<std::shared_ptr<const ImagePolicy>> images;  ///< ids unique
  std::map<AccountId, std::string> account_names;          ///< the address book
  Millis interval{};                                       ///< length of a cycle for the mass-change guard
  Millis stale_after{};                                    ///< of images that have none of their own
  int confirm_clears = 2;  ///< complete listings in a row that prove an absence
  int mass_change_percent = 20;
  std::string config_hash;  ///< first 12 hex digits, for drift events
};

}  // namespace sharedrift
