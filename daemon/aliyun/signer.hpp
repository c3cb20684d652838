#pragma once

#include "aliyun/rpc_signature.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"
#include "ports.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

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

/// Headers to sign (host, content-type and x-acs-*), sorted as the signature wants them: names in lower case,
/// values raw. The texts are the caller's.
using HeadersToSign = std::map<std::string_view, std::string_view>;

/// ACS3-HMAC-SHA256 in its parts, for tests and for people who compare them with the API's own.
struct Acs3Signature {
  std::string canonical_request;
  std::string string_to_sign;
  std::string authorization;  ///< empty: there was nothing to sign with
};

/// An empty id or secret signs nothing. Source of the format: "V3 request structure and signature", Alibaba
/// Cloud documentation.
Acs3Signature sign_acs3(std::string_view method, std::string_view canonical_query,
                        const HeadersToSign& headers, std::string_view body_sha256,
                        std::string_view access_key_id, const Secret& secret);

/// The signed POST of a call, ready for the transport; none if the credentials lack id or secret. `nonce`
/// must be unique for 15 minutes, `now` within 15 minutes of the API's clock. Pure.
std::optional<HttpRequest> signed_request(const ApiCall& call, const Credentials& credentials,
                                          std::string_view nonce, WallTime now);

}  // namespace sharedrift
