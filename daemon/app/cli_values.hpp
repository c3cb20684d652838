#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "wire/url.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sharedrift {

// Values of flags that have a form of their own. An error is for people, and names the flag.

/// A moment, the beginning of a day in UTC, or how long ago; monostate for no text.
Result<std::variant<std::monostate, WallTime, Millis>, std::string> parse_since(const std::string& text);

/// A number from 0 and below `count`; for `auto` the number that the host's name ends with.
Result<int, std::string> parse_shard(const std::string& text, const std::string& hostname, int count);

/// Whether the page of metrics may be there: no other page is.
bool is_path_of_its_own(std::string_view path);

/// Where others find the pages: the external URL, if it is known, and the path before all paths (empty, or
/// `/x` without a slash at its end). The prefix is the external URL's, unless it is given, as in Prometheus.
struct OutsideAddress {
  std::optional<Url> url;
  std::string prefix;
};
Result<OutsideAddress, std::string> parse_outside_address(const std::string& external_url,
                                                          const std::optional<std::string>& route_prefix);

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
