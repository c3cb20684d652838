#pragma once

#include "core/enumerators.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sharedrift {

/// Why a poll did not end in a proven-complete listing. The names are the values of the label `reason`: a
/// closed list.
enum class Reason {
  // nothing was sent or nothing came back
  credentials,  ///< no usable credentials here; nothing was sent
  dns,          ///< the endpoint's name could not be resolved
  connect,      ///< no connection
  proxy,        ///< the proxy refused or broke the tunnel
  tls,          ///< handshake failed or the peer could not be trusted
  timeout,      ///< the deadline passed
  reset,        ///< the connection ended inside the answer
  local,        ///< this machine is out of something (descriptors, memory)
  // the API said no
  throttled,          ///< flow control; also a budget of ours that held a call back for too long
  server_error,       ///< 5xx, ens.interface.error, CallInterface: the far side's trouble
  forbidden,          ///< NoPermission and its kin
  key_rejected,       ///< the access key, its token or the signature was refused
  clock_skew,         ///< the time stamp was refused
  owner_mismatch,     ///< the key belongs to another account than `owner_account`
  invalid_image,      ///< the API refuses the image id
  image_gone,         ///< the account's own inventory lacks the image
  ownership_unknown,  ///< the list is empty, and nobody can tell whether the image is the account's
  api_other,          ///< any other refusal
  // the answer cannot be believed
  protocol,        ///< not an answer of this API: redirect, content coding, framing, HTML
  bad_payload,     ///< not the JSON that is documented
  too_large,       ///< beyond a cap on bytes, depth, rows or pages
  echo_mismatch,   ///< the answer is about another image or page than was asked
  bad_row,         ///< a row without a usable account id
  duplicate_row,   ///< one account on two places: the list moved while it was read
  count_mismatch,  ///< TotalCount and the rows disagree
  count_changed,   ///< TotalCount changed between the pages
  unstable,        ///< repeated passes never agreed
  internal,        ///< a bug of ours, caught
};
inline constexpr auto kAllReasons = kEnumerators<Reason::internal>.first;

inline std::string_view to_string(Reason reason) {
  return enumerator_name<Reason::internal>(reason);
}

/// One failure with what a person needs to act on it. Every string was cleaned and cut where it came in; none
/// holds a secret, a signature or a message of the API's that echoes them.
struct Failure {
  Reason reason = Reason::internal;
  std::string detail;      ///< for people; what, where, what to do
  std::string code;        ///< the API's own code, trimmed; may be empty
  int http_status = 0;     ///< 0: none
  std::string request_id;  ///< may be empty
};

Failure make_failure(Reason reason, std::string detail);

struct Event;
/// Its parts as fields of an event; it is one of so many in a row.
void add_failure(Event& event, const Failure& failure, std::int64_t in_a_row);

/// What is known of an image at its last poll.
enum class ImageState { never_read, ok, empty, incomplete, unstable, forbidden, gone, invalid, unreachable };
inline constexpr auto kAllImageStates = kEnumerators<ImageState::unreachable>.first;

inline std::string_view to_string(ImageState state) {
  return enumerator_name<ImageState::unreachable>(state);
}
inline std::optional<ImageState> parse_image_state(std::string_view text) {
  return parse_enumerator<ImageState::unreachable>(text);
}

/// The state that a failed poll puts an image in. `any_page_read`: rows came before it broke off.
ImageState state_of_failure(Reason reason, bool any_page_read);

}  // namespace sharedrift
