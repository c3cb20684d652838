#pragma once

#include "core/result.hpp"
#include "ports.hpp"
#include "wire/url.hpp"

#include <string>
#include <string_view>

namespace sharedrift {

/// `host:port` of a URL, all of it that may be shown. Never the user and password.
std::string host_and_port(std::string_view url);

/// The URL of a request that may be sent; or why it must not be sent, whatever libcurl would make of it.
Result<Url, TransportError> admit_request(const HttpRequest& request);

}  // namespace sharedrift
