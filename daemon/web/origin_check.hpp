#pragma once

#include "http_server/http_server.hpp"
#include "wire/url.hpp"

#include <optional>

namespace sharedrift {

/// The answer to a request that a page of somebody else's made a browser send; none if it is not one.
///
/// Its Host is checked where it came to a loopback address, or where `external_url` says what we are called:
/// an attacker's name may lead anywhere (DNS rebinding), but it stays in the Host. Addresses are no names,
/// and always fine. What changes something must come from our own pages: with another Origin, which is
/// scheme, host and port, it is refused.
std::optional<ServerResponse> refuse_foreign(const ServerRequest& request,
                                             const std::optional<Url>& external_url);

}  // namespace sharedrift
