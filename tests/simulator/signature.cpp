#include "simulator/signature.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

namespace sharedrift::simulator {

namespace {

using Bytes = std::vector<unsigned char>;

std::string hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    out += kHex[byte >> 4U];
    out += kHex[byte & 0xFU];
  }
  return out;
}

/// Empty if OpenSSL cannot, which then matches no signature.
Bytes hmac(const char* digest, std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  std::size_t size = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_Q_mac(nullptr, "HMAC", nullptr, digest, nullptr, key.data(), key.size(), data, text.size(),
                out.data(), out.size(), &size) == nullptr) {
    return {};
  }
  return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
}

std::string canonical_query(const Pairs& parameters, std::string_view leave_out) {
  std::vector<const std::pair<std::string, std::string>*> sorted;
  sorted.reserve(parameters.size());
  for (const auto& parameter : parameters) {
    if (parameter.first != leave_out) sorted.push_back(&parameter);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return *a < *b; });
  std::string out;
  for (const auto* parameter : sorted) {
    if (!out.empty()) out += '&';
    out.append(percent_encode(parameter->first)).append("=").append(percent_encode(parameter->second));
  }
  return out;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) {
    const bool plain = is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 0xFU];
  }
  return out;
}

std::string acs3_canonical_request(std::string_view method, const Pairs& query, const Pairs& headers,
                                   std::string_view body_sha256) {
  std::string out(method);
  out.append("\n/\n").append(canonical_query(query, {})).append("\n");
  std::string names;
  for (const auto& [name, value] : headers) {
    out.append(name).append(":").append(value).append("\n");
    names.append(names.empty() ? "" : ";").append(name);
  }
  return out.append("\n").append(names).append("\n").append(body_sha256);
}

std::string acs3_string_to_sign(std::string_view canonical_request) {
  return "ACS3-HMAC-SHA256\n" + sha256_hex(canonical_request);
}

std::string acs3_signature(std::string_view secret, std::string_view string_to_sign) {
  return hex(hmac("SHA256", secret, string_to_sign));
}

std::string rpc_string_to_sign(std::string_view method, const Pairs& parameters) {
  std::string out(method);
  return out.append("&%2F&").append(percent_encode(canonical_query(parameters, "Signature")));
}

std::string rpc_signature(std::string_view secret, std::string_view string_to_sign) {
  std::string key(secret);
  key += '&';
  const Bytes mac = hmac("SHA1", key, string_to_sign);
  std::string out((mac.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock also writes a terminating zero
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), mac.data(), static_cast<int>(mac.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, 32> out{};
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(), out.data(), &size) != 1) return {};
  return hex(out);
}

}  // namespace sharedrift::simulator
