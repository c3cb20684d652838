#pragma once

#include "http_server/http_server.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sharedrift {

/// The answer to a request that a page of somebody else's made a browser send; none if it is not one.
///
/// Its Host is checked where it came to a loopback address, or where `allowed_hosts` (names without a port)
/// says what we are called: an attacker's name may lead anywhere (DNS rebinding), but it stays in the Host.
/// Addresses are no names, and always fine. What changes something must come from our own pages: with another
/// Origin it is refused.
std::optional<ServerResponse> refuse_foreign(const ServerRequest& request,
                                             const std::vector<std::string>& allowed_hosts);

}  // namespace sharedrift
