#pragma once

#include "ports.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sharedrift {

/// `host:port` of a URL, all of it that may be shown. Never the user and password.
std::string host_and_port(std::string_view url);

/// For http, not https.
bool is_plain(const HttpRequest& request);

/// Why the request must not be sent, whatever libcurl would make of it.
std::optional<TransportError> refuse_request(const HttpRequest& request);

}  // namespace sharedrift
