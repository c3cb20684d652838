#pragma once

#include "aliyun/rpc_signature.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"
#include "ports.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift {

/// A call of an RPC-style API before it is signed. All parameters go into the query, the body is empty. What
/// is the same for all calls to an endpoint is only referred to, and must outlive them.
struct ApiCall {
  std::string_view scheme;
  std::string_view host;  ///< with the port where there is one: it is signed
  std::string_view action;
  std::string_view version;
  std::string query;  ///< canonical, as encode_parameters() writes it
};

/// ACS3-HMAC-SHA256 in its parts, for tests and for people who compare them with the API's own.
struct Acs3Signature {
  std::string canonical_request;
  std::string string_to_sign;
  std::string authorization;  ///< empty: there was nothing to sign with
};

/// Names and values.
using HeadersToSign = std::vector<std::pair<std::string_view, std::string_view>>;

/// `headers` are those to sign (host, content-type and x-acs-*, in any order): names in lower case, values
/// raw. An empty id or secret signs nothing. Source of the format: "V3 request structure and signature",
/// Alibaba Cloud documentation.
Acs3Signature sign_acs3(std::string_view method, std::string_view canonical_query, HeadersToSign headers,
                        std::string_view body_sha256, std::string_view access_key_id, const Secret& secret);

/// The signed POST of a call, ready for the transport; none if the credentials lack id or secret. `nonce`
/// must be unique for 15 minutes, `now` within 15 minutes of the API's clock. Pure.
std::optional<HttpRequest> signed_request(const ApiCall& call, const Credentials& credentials,
                                          std::string_view nonce, WallTime now);

}  // namespace sharedrift
