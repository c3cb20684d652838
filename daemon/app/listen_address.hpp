#pragma once

#include "core/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

struct ListenAddress {
  std::string host;
  int port = 0;
  bool may_fail = false;  ///< one of the defaults: where the address family is missing, it is left out
};

/// `host:port`, `:port` (every address), `[v6]:port`; port 0 takes any free one. The error names flag and
/// remedy.
Result<ListenAddress, std::string> parse_listen_address(std::string_view text);
/// Port 10191 of both loopbacks.
std::vector<ListenAddress> default_listen_addresses();

}  // namespace sharedrift
