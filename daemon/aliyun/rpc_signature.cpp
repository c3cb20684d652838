#include "aliyun/rpc_signature.hpp"

#include "core/text.hpp"

#include <array>

#include <openssl/evp.h>

namespace sharedrift {

namespace {

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  append_encoded(out, text);
  return out;
}

void append_parameter(std::string& query, std::string_view name, std::string_view value) {
  if (!query.empty()) query += '&';
  append_encoded(query, name);
  query += '=';
  append_encoded(query, value);
}

std::string encode_parameters(const RpcParameters& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters)
    append_parameter(out, name, value);
  return out;
}

std::string rpc_signature(std::string_view method, const RpcParameters& parameters, const Secret& secret) {
  if (secret.empty()) return {};  // OpenSSL would sign with an empty key, too
  std::string text = std::string{method} + "&%2F&" + percent_encode(encode_parameters(parameters));
  std::string key = std::string{secret.reveal()} + '&';
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  std::size_t size = 0;
  const bool done = EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA1", nullptr, key.data(), key.size(),
                              reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(),
                              mac.size(), &size) != nullptr;
  wipe(key);
  wipe(text);
  if (!done) return {};
  std::array<unsigned char, std::size_t{2} * EVP_MAX_MD_SIZE> base64{};
  const int length = EVP_EncodeBlock(base64.data(), mac.data(), static_cast<int>(size));
  return {base64.begin(), base64.begin() + length};
}

}  // namespace sharedrift
