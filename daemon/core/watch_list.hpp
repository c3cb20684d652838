#pragma once

#include "core/policy.hpp"
#include "core/poll_config.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

using AccountNames = std::map<AccountId, std::string>;
/// To stand beside the id; empty: there is none, or it only repeats the id.
inline std::string_view name_of(const AccountId& account, const AccountNames& names) {
  const auto found = names.find(account);
  return found == names.end() || found->second == account.str() ? std::string_view{} : found->second;
}

/// What is watched and by which rules; one accepted configuration.
struct WatchList : PollConfig {
  std::vector<std::shared_ptr<const ImagePolicy>> images;  ///< ids unique
  AccountNames account_names;                              ///< the address book
  std::string config_hash;                                 ///< first 12 hex digits, for drift events
};

}  // namespace sharedrift
