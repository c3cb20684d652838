#pragma once

#include "core/failure.hpp"

#include <span>
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

/// What is known of a code with which the API refuses. Commands, events and dashboards/ERRORS.md say of a
/// code what stands here and nothing else.
struct ApiCode {
  /// The whole code; its beginning where it ends in `*`; any part of it where it begins with `*`.
  std::string_view code;
  Reason reason;
  Remedy remedy;
  std::string_view meaning;
  std::string_view
      cure;  ///< what a person should do; empty: nobody knows. `{right}` is the RAM action refused
};

/// All of them. Of a code the first row that fits counts.
std::span<const ApiCode> api_codes();

/// What a person should do about a failure that has no code; empty: nobody knows.
std::string_view usual_cure(Reason reason);

struct ApiError {
  Failure failure;
  Remedy remedy = Remedy::none;
  std::string cure{};  ///< what a person should do; the failure's detail says it as well
  std::string what{};  ///< the failure's detail without the cure
};

/// A refusal by its code (trimmed), then by its HTTP status: ENS answers nearly everything with 400, so the
/// status alone says little. The detail is what the table says, and the API's own `message` without what
/// echoes the request; of a code that is not in the table it is the message alone. `right`: the RAM action of
/// the call.
ApiError classify_refusal(std::string_view code, int http_status, std::string_view request_id,
                          std::string_view message = {}, std::string_view right = {});

/// What a failure of the transport means for trying again. `refused`: somebody on the way wants other
/// credentials.
ApiError classify_transport(Reason reason, std::string detail, bool refused = false);

/// The API's words as they may be shown: cleaned and cut, without the string to sign and without words that
/// may be a part of the request (signature errors echo it, and with it key and token).
std::string harmless(std::string_view message);

}  // namespace sharedrift
