#pragma once

#include "http_client/curl_exchange.hpp"

namespace sharedrift {

/// What an answer with status 407 means: the proxy does not take the login, or wants one.
TransportError proxy_refusal(const Exchange& exchange);

/// Why an exchange failed, from libcurl's code and how far the exchange had got; a verdict of ours
/// goes first. The detail begins with host and port, and shows no query, no user and no password.
TransportError error_of(Exchange& exchange, CURLcode code);

}  // namespace sharedrift
