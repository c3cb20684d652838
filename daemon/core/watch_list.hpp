#pragma once

#include "core/policy.hpp"
#include "core/poll_config.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sharedrift {

/// What is watched and by which rules; one accepted configuration.
struct WatchList : PollConfig {
  std::vector<std::shared_ptr<const ImagePolicy>> images;  ///< ids unique
  std::map<AccountId, std::string> account_names;          ///< the address book
  std::string config_hash;                                 ///< first 12 hex digits, for drift events
};

}  // namespace sharedrift
