#pragma once

#include "core/failure.hpp"

#include <string>
#include <string_view>

namespace sharedrift {

/// What may help against a refusal.
enum class Remedy {
  none,             ///< the same request would be refused again
  retry,            ///< later
  retry_at_once,    ///< with a new nonce
  new_credentials,  ///< with other credentials, if there are any
  new_time,         ///< with the API's own time
};

struct ApiError {
  Failure failure;
  Remedy remedy = Remedy::none;
};

/// A refusal by its code (trimmed), then by its HTTP status. ENS answers nearly everything with 400, so the
/// status alone says little. The detail is in our words; the API's own `message` follows, cleaned and cut,
/// only for codes whose messages are known not to echo keys and strings to sign.
ApiError classify_refusal(std::string_view code, int http_status, std::string_view request_id,
                          std::string_view message = {});

/// What a failure of the transport means for trying again.
ApiError classify_transport(Reason reason, std::string detail);

}  // namespace sharedrift
