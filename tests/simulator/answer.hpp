#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift::simulator {

/// How the bytes of an answer leave: `plain` is honest, the rest are faults.
struct Delivery {
  enum class How : std::uint8_t { plain, cut, reset, drip, endless };
  enum class Framing : std::uint8_t { length, chunked, none };
  How how = How::plain;
  Framing framing = Framing::length;  ///< cut, endless: what the head promises
  std::size_t bytes = 0;              ///< cut, reset: of the body before the end; drip: per step
  Millis interval{0};                 ///< drip: between steps
};

/// What the simulator says to a request, before it touches a socket. The body may be no valid text.
struct SimAnswer {
  int status = 200;
  std::string content_type = "application/json;charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Millis delay{0};
  Delivery delivery;
};

/// A refusal in the words of the API.
struct ApiError {
  int status = 400;
  std::string code;
  std::string message;
};

/// The error of that code with the status and the message that are documented for it; an unknown code is 400
/// with a general message. `field` fills the place of `%s`, where the message has one.
ApiError api_error(std::string_view code, std::string_view field = {});
/// InvalidParameter.FIELD, for a parameter whose value is none.
Err<ApiError> invalid(std::string_view field);

/// How an error body departs from the usual envelope (all seen in the wild).
enum class ErrorForm : std::uint8_t { usual, lower_case, xml, http_status, denied_detail };

struct ErrorContext {
  std::string_view request_id;
  std::string_view host_id;
  std::string_view product;
  std::string_view action;
  ErrorForm form = ErrorForm::usual;
};

/// {"RequestId","HostId","Code","Message","Recommend"}.
SimAnswer error_answer(const ApiError& error, const ErrorContext& context);

/// `Tue, 24 Nov 2026 09:20:44 GMT`.
std::string format_http_date(WallTime time);
/// `2026-11-24T09:20:44Z`, as the API writes times.
std::string format_api_time(WallTime time);

}  // namespace sharedrift::simulator
