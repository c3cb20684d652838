#pragma once

#include <string>
#include <string_view>

namespace sharedrift {

// Raw bytes; empty if OpenSSL cannot, which then is equal to no digest.

std::string sha256(std::string_view text);

/// Empty for an empty key, too, with which OpenSSL would sign.
std::string hmac_sha256(std::string_view key, std::string_view text);
std::string hmac_sha1(std::string_view key, std::string_view text);

}  // namespace sharedrift
