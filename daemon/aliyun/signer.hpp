#pragma once

#include "aliyun/rpc_signature.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"
#include "ports.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift {

/// A call of an RPC-style API before it is signed. All parameters go into the query, the body is empty.
struct ApiCall {
  std::string scheme = "https";
  std::string host;  ///< with the port where there is one: it is signed
  std::string action;
  std::string version;
  RpcParameters query;
};

/// ACS3-HMAC-SHA256 in its parts, for tests and for people who compare them with the API's own.
struct Acs3Signature {
  std::string canonical_request;
  std::string string_to_sign;
  std::string authorization;
};

/// `headers` are those to sign: names in lower case (host, content-type and x-acs-*, in any order), values
/// raw. Source of the format: "V3 request structure and signature", Alibaba Cloud documentation; ens-api
/// notes 2.1.
Acs3Signature sign_acs3(std::string_view method, std::string_view canonical_query,
                        std::vector<HttpHeader> headers, std::string_view body_sha256,
                        const std::string& access_key_id, const Secret& secret);

/// The signed POST of a call, ready for the transport. `nonce` must be unique for 15 minutes, `now` within 15
/// minutes of the API's clock. Pure.
HttpRequest signed_request(const ApiCall& call, const Credentials& credentials, std::string_view nonce,
                           WallTime now);

}  // namespace sharedrift
