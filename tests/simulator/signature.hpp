#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The two signatures of the API, recomputed from a received and decoded request: what is on the wire is
/// neither sorted nor encoded like the canonical form. Shares no code with the client's signer on purpose,
/// but for digests, hex and base64, which published vectors check: a mistake of that one must not be repeated
/// by the server that tests it.
namespace sharedrift::simulator {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// RFC 3986 with `A-Za-z0-9-_.~` unreserved; hex in upper case.
std::string percent_encode(std::string_view text);

/// `headers` are the signed ones, names in lower case, sorted, values trimmed. The path of an RPC call is
/// always `/`.
std::string acs3_canonical_request(std::string_view method, const Pairs& query, const Pairs& headers,
                                   std::string_view body_sha256);
std::string acs3_string_to_sign(std::string_view canonical_request);
std::string acs3_signature(std::string_view secret, std::string_view string_to_sign);

/// SignatureVersion 1.0. `parameters` are those of query and form; `Signature` among them is left out.
std::string rpc_string_to_sign(std::string_view method, const Pairs& parameters);
std::string rpc_signature(std::string_view secret, std::string_view string_to_sign);

}  // namespace sharedrift::simulator
