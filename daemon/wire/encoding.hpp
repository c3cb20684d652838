#pragma once

#include "ports.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sharedrift {

// Bytes are text here: what they mean is their user's business.

/// Two digits for each byte, in lower case.
std::string to_hex(std::string_view bytes);

std::string to_base64(std::string_view bytes);
/// Strict but for missing padding, which some clients leave out.
std::optional<std::string> from_base64(std::string_view text);

/// 32 hex digits that were never used before.
std::string make_nonce(Random& random);

}  // namespace sharedrift
