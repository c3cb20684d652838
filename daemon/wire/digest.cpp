#include "wire/digest.hpp"

#include <array>
#include <cstddef>
#include <memory>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace sharedrift {

namespace {

using Bytes = std::array<unsigned char, EVP_MAX_MD_SIZE>;

std::string text_of(const Bytes& bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes.data()), size};
}
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// Looked up once: OpenSSL 3 looks an algorithm up by its name each time where it is given EVP_sha256().
const EVP_MD* fetched_sha256() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

MacContext make_hmac(std::string digest) {
  static EVP_MAC* const fetched = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
  MacContext context(EVP_MAC_CTX_new(fetched));
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(context.get(), parameters.data()) != 1) context.reset();
  return context;
}

std::string hmac(MacContext& context, const char* digest, std::string_view key, std::string_view text) {
  if (!context) context = make_hmac(digest);
  Bytes out{};
  std::size_t size = 0;
  if (key.empty() || !context || EVP_MAC_init(context.get(), bytes_of(key), key.size(), nullptr) != 1 ||
      EVP_MAC_update(context.get(), bytes_of(text), text.size()) != 1 ||
      EVP_MAC_final(context.get(), out.data(), &size, out.size()) != 1) {
    return {};
  }
  return text_of(out, size);
}

}  // namespace

std::string sha256(std::string_view text) {
  Bytes out{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), out.data(), &size, fetched_sha256(), nullptr) != 1) return {};
  return text_of(out, size);
}

// A context each thread keeps: to make one takes OpenSSL 3 longer than to sign with it. It holds the last key
// until the next one or the thread's end, as long as the program holds the key itself.

std::string hmac_sha256(std::string_view key, std::string_view text) {
  thread_local MacContext context;
  return hmac(context, OSSL_DIGEST_NAME_SHA2_256, key, text);
}

std::string hmac_sha1(std::string_view key, std::string_view text) {
  thread_local MacContext context;
  return hmac(context, OSSL_DIGEST_NAME_SHA1, key, text);
}

}  // namespace sharedrift
