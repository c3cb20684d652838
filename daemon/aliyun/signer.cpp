#include "aliyun/signer.hpp"

#include "core/text.hpp"
#include "wire/digest.hpp"
#include "wire/encoding.hpp"

namespace sharedrift {

namespace {

constexpr std::string_view kAlgorithm = "ACS3-HMAC-SHA256";
constexpr std::string_view kEmptyBodySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

}  // namespace

Acs3Signature sign_acs3(std::string_view method, std::string_view canonical_query,
                        const HeadersToSign& headers, std::string_view body_sha256,
                        std::string_view access_key_id, const Secret& secret) {
  Acs3Signature signature;
  std::string& request = signature.canonical_request;
  // So that it never grows, and leaves no copy of the security token behind.
  std::size_t room = method.size() + canonical_query.size() + body_sha256.size() + 8;
  for (const auto& [name, value] : headers)
    room += 2 * name.size() + value.size() + 3;  // the names come again in a list
  request.reserve(room);
  request.append(method).append("\n/\n").append(canonical_query).append("\n");
  std::string names;
  names.reserve(room);
  for (const auto& [name, value] : headers) {
    request.append(name).append(":").append(trim(value)).append("\n");
    names.append(names.empty() ? "" : ";").append(name);
  }
  request.append("\n").append(names).append("\n").append(body_sha256);

  const std::string request_hash = to_hex(sha256(request));
  if (request_hash.empty() || access_key_id.empty() || secret.empty()) return signature;
  signature.string_to_sign.reserve(kAlgorithm.size() + 1 + request_hash.size());
  signature.string_to_sign.append(kAlgorithm).append("\n").append(request_hash);
  const std::string mac = to_hex(hmac_sha256(secret.reveal(), signature.string_to_sign));
  if (mac.empty()) return signature;
  constexpr std::size_t kOwnWords = 64;  // more than the algorithm and the names of the parts take
  signature.authorization.reserve(kOwnWords + access_key_id.size() + names.size() + mac.size());
  signature.authorization.append(kAlgorithm).append(" Credential=").append(access_key_id);
  signature.authorization.append(",SignedHeaders=").append(names).append(",Signature=").append(mac);
  return signature;
}

std::optional<HttpRequest> signed_request(const ApiCall& call, const Credentials& credentials,
                                          std::string_view nonce, WallTime now) {
  const std::string date = api_time(now);
  HeadersToSign headers{
      {"host", call.host},  {"x-acs-action", call.action},    {"x-acs-version", call.version},
      {"x-acs-date", date}, {"x-acs-signature-nonce", nonce}, {"x-acs-content-sha256", kEmptyBodySha256}};
  if (!credentials.security_token.empty()) {
    headers.emplace("x-acs-accesskey-id", credentials.access_key_id);
    headers.emplace("x-acs-security-token", credentials.security_token.reveal());
  }
  Acs3Signature signature = sign_acs3("POST", call.query, headers, kEmptyBodySha256,
                                      credentials.access_key_id, credentials.access_key_secret);
  wipe(signature.canonical_request);  // holds the security token
  if (signature.authorization.empty()) return std::nullopt;
  HttpRequest request;
  request.method = "POST";
  request.url.reserve(call.scheme.size() + call.host.size() + call.query.size() + 5);
  request.url.append(call.scheme).append("://").append(call.host).append("/?").append(call.query);
  headers.erase("host");  // the transport's
  for (const auto& [name, value] : headers)
    request.headers.add(name, value);
  request.headers.add("accept", "application/json");
  request.headers.add("authorization", signature.authorization);
  return request;
}

}  // namespace sharedrift
