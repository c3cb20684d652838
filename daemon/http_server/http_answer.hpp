#pragma once

#include "http_server/http_server.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// What is sent to one request.
struct HttpAnswer {
  int status = 200;
  std::vector<std::shared_ptr<const std::string>> parts;  ///< status line and headers, then the body
  ServerResponse::Raw raw;                                ///< asked for more when the parts are sent
  std::optional<Lane> later;                              ///< set: there is no answer yet
  std::string one_by_one;                                 ///< ServerResponse's
  bool knew_password = false;                             ///< ServerResponse's
  bool is_refusal = false;                                ///< the request was refused unheard
  bool reset = false;
  Millis delay{0};
  bool closes = true;  ///< no other request may follow on the connection
};

/// Answers one request. cpp-httplib takes `head` apart and writes the head of the answer; `handler` says what
/// the answer is. What is no HTTP, asks for ranges, or has another body than `known.body` is refused. `known`
/// is what the connection tells of the request. Thread-safe.
HttpAnswer answer_request(std::string_view head, ServerRequest known, const ServerHandler& handler,
                          bool keep_alive);

}  // namespace sharedrift
