#include "core/failure.hpp"

#include "core/event.hpp"

#include <utility>

namespace sharedrift {

Failure make_failure(Reason reason, std::string detail) {
  Failure failure;
  failure.reason = reason;
  failure.detail = std::move(detail);
  return failure;
}

void add_failure(Event& event, const Failure& failure, std::int64_t in_a_row) {
  event.add("reason", std::string{to_string(failure.reason)});
  if (!failure.code.empty()) event.add("code", failure.code);
  if (failure.http_status != 0) event.add("http_status", std::int64_t{failure.http_status});
  event.add("detail", failure.detail);
  event.add("failures", in_a_row);
  if (!failure.request_id.empty()) event.add("request_id", failure.request_id);
}

ImageState state_of_failure(Reason reason, bool any_page_read) {
  switch (reason) {
    case Reason::forbidden:
    case Reason::key_rejected:
    case Reason::owner_mismatch: return ImageState::forbidden;
    case Reason::image_gone: return ImageState::gone;
    case Reason::invalid_image: return ImageState::invalid;
    case Reason::unstable: return ImageState::unstable;
    case Reason::protocol:
    case Reason::bad_payload:
    case Reason::too_large:
    case Reason::echo_mismatch:
    case Reason::bad_row:
    case Reason::duplicate_row:
    case Reason::count_mismatch:
    case Reason::count_changed:
    case Reason::ownership_unknown: return ImageState::incomplete;
    case Reason::credentials:
    case Reason::dns:
    case Reason::connect:
    case Reason::proxy:
    case Reason::tls:
    case Reason::timeout:
    case Reason::reset:
    case Reason::local:
    case Reason::throttled:
    case Reason::server_error:
    case Reason::clock_skew:
    case Reason::api_other:
    case Reason::internal: return any_page_read ? ImageState::incomplete : ImageState::unreachable;
  }
  return ImageState::unreachable;
}

}  // namespace sharedrift
