#include "wire/digest.hpp"

#include <array>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace sharedrift {

namespace {

using Bytes = std::array<unsigned char, EVP_MAX_MD_SIZE>;

std::string text_of(const Bytes& bytes, unsigned size) {
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

/// Looked up once: OpenSSL 3 looks an algorithm up by its name each time where it is given EVP_sha256().
const EVP_MD* fetched_sha256() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

std::string hmac(const EVP_MD* kind, std::string_view key, std::string_view text) {
  Bytes out{};
  unsigned size = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  if (key.empty() ||
      HMAC(kind, key.data(), static_cast<int>(key.size()), data, text.size(), out.data(), &size) == nullptr) {
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

std::string hmac_sha256(std::string_view key, std::string_view text) {
  return hmac(EVP_sha256(), key, text);
}

std::string hmac_sha1(std::string_view key, std::string_view text) {
  return hmac(EVP_sha1(), key, text);
}

}  // namespace sharedrift
