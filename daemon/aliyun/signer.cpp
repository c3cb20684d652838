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

/// On failure 0 bytes: a signature that no server takes.
std::span<const unsigned char> hmac_sha256(std::string_view key, std::string_view text, Digest& out) {
  std::size_t size = 0;
  EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(), bytes_of(text), text.size(),
            out.data(), out.size(), &size);
  return {out.data(), size};
}

std::string sha256_hex(std::string_view text) {
  Digest out{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), out.data(), &size, EVP_sha256(), nullptr);
  std::string hex;
  append_hex(hex, {out.data(), size});
  return hex;
}

/// `YYYY-MM-DDThh:mm:ssZ`
std::string acs_date(WallTime now) {
  std::string text = format_rfc3339(now);
  text.resize(19);
  return text += 'Z';
}

}  // namespace

Acs3Signature sign_acs3(std::string_view method, std::string_view canonical_query,
                        std::vector<HttpHeader> headers, std::string_view body_sha256,
                        const std::string& access_key_id, const Secret& secret) {
  std::sort(headers.begin(), headers.end(), [](const HttpHeader& a, const HttpHeader& b) {
    return a.name != b.name ? a.name < b.name : a.value < b.value;
  });
  Acs3Signature signature;
  std::string& request = signature.canonical_request;
  request.append(method).append("\n/\n").append(canonical_query).append("\n");
  std::string names;
  for (auto header = headers.begin(); header != headers.end(); ++header) {
    const bool repeated = header != headers.begin() && std::prev(header)->name == header->name;
    if (repeated) {  // values of one name are joined by commas
      request.back() = ',';
      request.append(trim(header->value)).append("\n");
      continue;
    }
    request.append(header->name).append(":").append(trim(header->value)).append("\n");
    names.append(names.empty() ? "" : ";").append(header->name);
  }
  request.append("\n").append(names).append("\n").append(body_sha256);

  signature.string_to_sign.append(kAlgorithm).append("\n").append(sha256_hex(request));
  Digest mac{};
  std::string& out = signature.authorization;
  out.append(kAlgorithm).append(" Credential=").append(access_key_id).append(",SignedHeaders=").append(names);
  out.append(",Signature=");
  append_hex(out, hmac_sha256(secret.reveal(), signature.string_to_sign, mac));
  return signature;
}

HttpRequest signed_request(const ApiCall& call, const Credentials& credentials, std::string_view nonce,
                           WallTime now) {
  HttpRequest request;
  request.method = "POST";
  const std::string query = encode_parameters(call.query);
  request.url.append(call.scheme).append("://").append(call.host).append("/?").append(query);
  std::vector<HttpHeader>& headers = request.headers;
  headers.reserve(10);
  headers.push_back({"x-acs-action", call.action});
  headers.push_back({"x-acs-version", call.version});
  headers.push_back({"x-acs-date", acs_date(now)});
  headers.push_back({"x-acs-signature-nonce", std::string{nonce}});
  headers.push_back({"x-acs-content-sha256", std::string{kEmptyBodySha256}});
  if (!credentials.security_token.empty()) {
    headers.push_back({"x-acs-accesskey-id", credentials.access_key_id});
    headers.push_back({"x-acs-security-token", std::string{credentials.security_token.reveal()}});
  }
  std::vector<HttpHeader> signed_headers = headers;
  signed_headers.push_back({"host", call.host});
  Acs3Signature signature = sign_acs3("POST", query, std::move(signed_headers), kEmptyBodySha256,
                                      credentials.access_key_id, credentials.access_key_secret);
  headers.push_back({"accept", "application/json"});
  headers.push_back({"authorization", std::move(signature.authorization)});
  return request;
}

}  // namespace sharedrift
