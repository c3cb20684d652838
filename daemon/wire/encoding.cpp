#include "wire/encoding.hpp"

#include <array>
#include <cstdint>

#include <openssl/evp.h>

namespace sharedrift {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string to_hex(std::string_view bytes) {
  std::string out(2 * bytes.size(), '\0');
  auto to = out.begin();
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *to++ = kHex[byte >> 4U];
    *to++ = kHex[byte & 0xFU];
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and a zero byte
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.pop_back();
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  while (text.ends_with('='))
    text.remove_suffix(1);
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t value = kBase64.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>((bits >> count) & 0xFFU));
  }
  if (count >= 6) return std::nullopt;
  return out;
}

std::string make_nonce(Random& random) {
  const std::array<std::uint64_t, 2> bits{random.next(), random.next()};
  return to_hex({reinterpret_cast<const char*>(bits.data()), sizeof bits});
}

}  // namespace sharedrift
