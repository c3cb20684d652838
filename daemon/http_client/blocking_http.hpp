#pragma once

#include "ports.hpp"

namespace sharedrift {

/// One exchange for callers that have nothing else to do: blocks until it is over, or until stop is requested
/// (then the error is a timeout). `transport` must be driven by nobody else, and have no other exchange under
/// way.
HttpResult perform(HttpTransport& transport, HttpRequest request, MonoTime deadline,
                   const std::stop_token& stop);

}  // namespace sharedrift
