#pragma once

#include "core/result.hpp"
#include "wire/url.hpp"

#include <string>
#include <string_view>

namespace sharedrift {

enum class Service { ens, sts };

// Each gives the address in its normal form (host in lower case), or what is wrong with it.

/// Where signed calls go: an origin; https unless the host is local; a host that is not known as the
/// service's needs `allow_any`.
Result<std::string, UrlFault> check_endpoint(std::string_view text, Service service, bool allow_any);
/// An origin with a port; a user and a password are allowed.
Result<std::string, UrlFault> check_proxy(std::string_view text);
/// An origin; plain http only where may_carry_credentials() lets it.
Result<std::string, UrlFault> check_metadata_endpoint(std::string_view text);
/// As before, but with any path and query.
Result<std::string, UrlFault> check_credentials_uri(std::string_view text);

/// The address as it may be shown: without user, password and query.
std::string masked_url(std::string_view url_text);

}  // namespace sharedrift
