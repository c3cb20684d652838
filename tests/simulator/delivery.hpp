#pragma once

#include "core/time.hpp"
#include "http_server/http_server.hpp"
#include "simulator/answer.hpp"

namespace sharedrift::simulator {

/// The answer in the server's terms; one that is not to be sent plainly says its own bytes.
ServerResponse to_response(SimAnswer answer);

}  // namespace sharedrift::simulator
