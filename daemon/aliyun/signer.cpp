#include "aliyun/signer.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace sharedrift {

namespace {

constexpr std::string_view kAlgorithm = "ACS3-HMAC-SHA256";
constexpr std::string_view kEmptyBodySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void append_hex(std::string& out, std::span<const unsigned char> bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::size_t at = out.size();
  out.resize(at + 2 * bytes.size());
  for (const unsigned char byte : bytes) {
    out[at++] = kHex[byte >> 4U];
    out[at++] = kHex[byte & 0xFU];
  }
}

/// OpenSSL 3 looks its algorithms up by name whenever it is asked in one call, which takes longer than both
/// hashes together: a thread that signs keeps what it found.
class Hasher {
 public:
  /// Empty on failure.
  std::span<const unsigned char> sha256(std::string_view text, Digest& out) {
    unsigned size = 0;
    if (!hash_ || !work_ || EVP_DigestInit_ex2(work_.get(), hash_.get(), nullptr) != 1 ||
        EVP_DigestUpdate(work_.get(), text.data(), text.size()) != 1 ||
        EVP_DigestFinal_ex(work_.get(), out.data(), &size) != 1) {
      return {};
    }
    return {out.data(), size};
  }

  /// Empty on failure, and for an empty key, with which OpenSSL would sign, too.
  std::span<const unsigned char> hmac_sha256(std::string_view key, std::string_view text, Digest& out) {
    std::size_t size = 0;
    if (key.empty() || !set_key(key) || EVP_MAC_update(mac_.get(), bytes_of(text), text.size()) != 1 ||
        EVP_MAC_final(mac_.get(), out.data(), &size, out.size()) != 1) {
      return {};
    }
    return {out.data(), size};
  }

 private:
  /// A key that is set has its own blocks hashed: they are not hashed again for the next signature.
  bool set_key(std::string_view key) {
    if (!mac_) return false;
    if (key == key_.reveal()) return EVP_MAC_init(mac_.get(), nullptr, 0, nullptr) == 1;
    key_ = Secret(key);
    if (EVP_MAC_init(mac_.get(), bytes_of(key), key.size(), sha256_.data()) == 1) return true;
    key_ = Secret();
    return false;
  }

  template <auto free>
  struct Free {
    template <class T>
    void operator()(T* object) const {
      free(object);
    }
  };
  static EVP_MAC_CTX* new_hmac() {
    const std::unique_ptr<EVP_MAC, Free<EVP_MAC_free>> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    return hmac ? EVP_MAC_CTX_new(hmac.get()) : nullptr;
  }

  std::array<char, 7> name_{"SHA256"};
  std::array<OSSL_PARAM, 2> sha256_{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name_.data(), 0),
                                    OSSL_PARAM_construct_end()};
  std::unique_ptr<EVP_MD, Free<EVP_MD_free>> hash_{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>> work_{EVP_MD_CTX_new()};
  std::unique_ptr<EVP_MAC_CTX, Free<EVP_MAC_CTX_free>> mac_{new_hmac()};
  Secret key_;  ///< that mac_ was set to
};

Hasher& hasher() {
  static thread_local Hasher instance;
  return instance;
}

/// `YYYY-MM-DDThh:mm:ssZ`
std::string acs_date(WallTime now) {
  std::string text = format_rfc3339(now);
  text.resize(19);
  return text += 'Z';
}

}  // namespace

Acs3Signature sign_acs3(std::string_view method, std::string_view canonical_query, HeadersToSign headers,
                        std::string_view body_sha256, std::string_view access_key_id, const Secret& secret) {
  std::sort(headers.begin(), headers.end());
  Acs3Signature signature;
  std::string& request = signature.canonical_request;
  std::size_t room = method.size() + canonical_query.size() + body_sha256.size() + 8;
  for (const auto& [name, value] : headers)
    room += 2 * name.size() + value.size() + 3;  // the names come again in a list
  request.reserve(room);
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
  const auto request_hash = hasher().sha256(request, digest);
  if (request_hash.empty() || access_key_id.empty()) return signature;
  signature.string_to_sign.reserve(kAlgorithm.size() + 1 + 2 * request_hash.size());
  signature.string_to_sign.append(kAlgorithm).append("\n");
  append_hex(signature.string_to_sign, request_hash);
  const auto mac = hasher().hmac_sha256(secret.reveal(), signature.string_to_sign, digest);
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
  request.url.reserve(call.scheme.size() + call.host.size() + call.query.size() + 8);
  request.url.append(call.scheme).append("://").append(call.host).append("/?").append(call.query);
  HttpHeaders& headers = request.headers;
  headers.add("x-acs-action", call.action);
  headers.add("x-acs-version", call.version);
  headers.add("x-acs-date", acs_date(now));
  headers.add("x-acs-signature-nonce", nonce);
  headers.add("x-acs-content-sha256", kEmptyBodySha256);
  if (!credentials.security_token.empty()) {
    headers.add("x-acs-accesskey-id", credentials.access_key_id);
    headers.add("x-acs-security-token", credentials.security_token.reveal());
  }
  HeadersToSign to_sign{{"host", call.host}};
  to_sign.insert(to_sign.end(), headers.begin(), headers.end());
  Acs3Signature signature = sign_acs3("POST", call.query, std::move(to_sign), kEmptyBodySha256,
                                      credentials.access_key_id, credentials.access_key_secret);
  wipe(signature.canonical_request);  // holds the security token
  if (signature.authorization.empty()) return std::nullopt;
  headers.add("accept", "application/json");
  headers.add("authorization", signature.authorization);
  return request;
}

}  // namespace sharedrift
