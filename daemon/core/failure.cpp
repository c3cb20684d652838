#include "core/failure.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::credentials: return "credentials";
    case Reason::dns: return "dns";
    case Reason::connect: return "connect";
    case Reason::proxy: return "proxy";
    case Reason::tls: return "tls";
    case Reason::timeout: return "timeout";
    case Reason::reset: return "reset";
    case Reason::local: return "local";
    case Reason::throttled: return "throttled";
    case Reason::server_error: return "server_error";
    case Reason::forbidden: return "forbidden";
    case Reason::key_rejected: return "key_rejected";
    case Reason::clock_skew: return "clock_skew";
    case Reason::owner_mismatch: return "owner_mismatch";
    case Reason::invalid_image: return "invalid_image";
    case Reason::image_gone: return "image_gone";
    case Reason::ownership_unknown: return "ownership_unknown";
    case Reason::api_other: return "api_other";
    case Reason::protocol: return "protocol";
    case Reason::bad_payload: return "bad_payload";
    case Reason::too_large: return "too_large";
    case Reason::echo_mismatch: return "echo_mismatch";
    case Reason::bad_row: return "bad_row";
    case Reason::duplicate_row: return "duplicate_row";
    case Reason::count_mismatch: return "count_mismatch";
    case Reason::count_changed: return "count_changed";
    case Reason::unstable: return "unstable";
    case Reason::internal: return "internal";
  }
  return "internal";
}

std::string_view to_string(ImageState state) {
  switch (state) {
    case ImageState::never_read: return "never_read";
    case ImageState::ok: return "ok";
    case ImageState::empty: return "empty";
    case ImageState::incomplete: return "incomplete";
    case ImageState::unstable: return "unstable";
    case ImageState::forbidden: return "forbidden";
    case ImageState::gone: return "gone";
    case ImageState::invalid: return "invalid";
    case ImageState::unreachable: return "unreachable";
  }
  return "never_read";
}

std::optional<ImageState> parse_image_state(std::string_view text) {
  const auto* found = std::find_if(kAllImageStates.begin(), kAllImageStates.end(),
                                   [text](ImageState state) { return to_string(state) == text; });
  if (found == kAllImageStates.end()) return std::nullopt;
  return *found;
}

Failure make_failure(Reason reason, std::string detail) {
  Failure failure;
  failure.reason = reason;
  failure.detail = std::move(detail);
  return failure;
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
