#include "aliyun/signer.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <openssl/evp.h>

namespace sharedrift {

namespace {

constexpr std::string_view kAlgorithm = "ACS3-HMAC-SHA256";
constexpr std::string_view kEmptyBodySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(
      text.data());  // NOLINT(*-reinterpret-cast): OpenSSL's type for bytes
}

void append_hex(std::string& out, std::span<const unsigned char> bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const unsigned char byte : bytes) {
    out += kHex[byte >> 4U];
    out += kHex[byte & 0xFU];
  }
}

/// Empty on failure, and for an empty key, with which OpenSSL would sign, too.
std::span<const unsigned char> hmac_sha256(std::string_view key, std::string_view text, Digest& out) {
  std::size_t size = 0;
  if (key.empty() || EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(),
                               bytes_of(text), text.size(), out.data(), out.size(), &size) == nullptr) {
    return {};
  }
  return {out.data(), size};
}

/// Empty on failure.
std::span<const unsigned char> sha256(std::string_view text, Digest& out) {
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), out.data(), &size, EVP_sha256(), nullptr) != 1) return {};
  return {out.data(), size};
}

/// `YYYY-MM-DDThh:mm:ssZ`
std::string acs_date(WallTime now) {
  std::string text = format_rfc3339(now);
  text.resize(19);
  return text += 'Z';
}

}  // namespace

Acs3Signature sign_acs3(std::string_view method, std::string_view canonical_query,
                        std::vector<SignedHeader> headers, std::string_view body_sha256,
                        std::string_view access_key_id, const Secret& secret) {
  std::sort(headers.begin(), headers.end(), [](const SignedHeader& a, const SignedHeader& b) {
    return a.name != b.name ? a.name < b.name : a.value < b.value;
  });
  Acs3Signature signature;
  std::string& request = signature.canonical_request;
  request.reserve(canonical_query.size() + 1024);
  request.append(method).append("\n/\n").append(canonical_query).append("\n");
  std::string names;
  names.reserve(128);
  std::string_view previous;
  for (const auto& [name, value] : headers) {
    if (name == previous) {  // values of one name are joined by commas
      request.back() = ',';
    } else {
      request.append(name).append(":");
      names.append(names.empty() ? "" : ";").append(name);
    }
    request.append(trim(value)).append("\n");
    previous = name;
  }
  request.append("\n").append(names).append("\n").append(body_sha256);

  Digest digest{};
  const auto request_hash = sha256(request, digest);
  if (request_hash.empty() || access_key_id.empty()) return signature;
  signature.string_to_sign.append(kAlgorithm).append("\n");
  append_hex(signature.string_to_sign, request_hash);
  const auto mac = hmac_sha256(secret.reveal(), signature.string_to_sign, digest);
  if (mac.empty()) return signature;
  std::string& out = signature.authorization;
  out.reserve(names.size() + access_key_id.size() + 128);
  out.append(kAlgorithm).append(" Credential=").append(access_key_id).append(",SignedHeaders=").append(names);
  out.append(",Signature=");
  append_hex(out, mac);
  return signature;
}

std::optional<HttpRequest> signed_request(const ApiCall& call, const Credentials& credentials,
                                          std::string_view nonce, WallTime now) {
  HttpRequest request;
  request.method = "POST";
  const std::string query = encode_parameters(call.query);
  request.url.reserve(call.scheme.size() + call.host.size() + query.size() + 8);
  request.url.append(call.scheme).append("://").append(call.host).append("/?").append(query);
  std::vector<HttpHeader>& headers = request.headers;
  headers.reserve(9);
  headers.push_back({"x-acs-action", call.action});
  headers.push_back({"x-acs-version", call.version});
  headers.push_back({"x-acs-date", acs_date(now)});
  headers.push_back({"x-acs-signature-nonce", std::string{nonce}});
  headers.push_back({"x-acs-content-sha256", std::string{kEmptyBodySha256}});
  if (!credentials.security_token.empty()) {
    headers.push_back({"x-acs-accesskey-id", credentials.access_key_id});
    headers.push_back({"x-acs-security-token", std::string{credentials.security_token.reveal()}});
  }
  std::vector<SignedHeader> to_sign;
  to_sign.reserve(headers.size() + 1);
  to_sign.push_back({"host", call.host});
  for (const HttpHeader& header : headers)
    to_sign.push_back({header.name, header.value});
  Acs3Signature signature = sign_acs3("POST", query, std::move(to_sign), kEmptyBodySha256,
                                      credentials.access_key_id, credentials.access_key_secret);
  wipe(signature.canonical_request);  // holds the security token
  if (signature.authorization.empty()) return std::nullopt;
  headers.push_back({"accept", "application/json"});
  headers.push_back({"authorization", std::move(signature.authorization)});
  return request;
}

}  // namespace sharedrift
