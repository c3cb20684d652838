#pragma once

#include "core/secret.hpp"
#include "core/time.hpp"

#include <map>
#include <string>
#include <string_view>

namespace sharedrift {

/// Parameters of an RPC call, decoded; sorted by code unit, as the signature wants them.
using RpcParameters = std::map<std::string, std::string, std::less<>>;

/// RFC 3986 with `A-Za-z0-9-_.~` unreserved; hex in upper case.
std::string percent_encode(std::string_view text);

/// Adds `name=value` to a query, encoded. A canonical one wants its names sorted by code unit.
void append_parameter(std::string& query, std::string_view name, std::string_view value);

/// `name=value&...`, encoded and sorted: canonical, and fit for a query or a form.
std::string encode_parameters(const RpcParameters& parameters);

/// `2026-11-24T09:20:44Z`: a time as the API wants it, without a fraction.
std::string api_time(WallTime time);

/// SignatureVersion 1.0 (HMAC-SHA1, base64) over everything in `parameters`, which must not hold `Signature`.
/// STS still wants it. Empty if `secret` is.
std::string rpc_signature(std::string_view method, const RpcParameters& parameters, const Secret& secret);

}  // namespace sharedrift
