#pragma once

#include "core/result.hpp"
#include "ports.hpp"

#include <string>
#include <string_view>

namespace sharedrift {

/// The parts of a key as they were found, and what they are called there (for error texts).
struct KeyParts {
  std::string_view id;
  std::string_view secret;
  std::string_view token;    ///< empty: a long-lived key
  std::string_view expires;  ///< RFC 3339; empty: not stated
  std::string_view id_name = "access_key_id";
  std::string_view secret_name = "access_key_secret";
  std::string_view token_name = "security_token";
};

/// Credentials out of raw text. Blanks, line ends and invisible characters at either end are taken off; what
/// then is empty or holds a character that no key has is refused. Errors never show the text.
Result<Credentials, std::string> make_key(const KeyParts& parts);

/// A key as a JSON object, spelled as STS and the metadata service do (`AccessKeyId`, `AccessKeySecret`,
/// `SecurityToken`, `Expiration`, `Code`) or as the CLI's external commands do (`access_key_id`,
/// `access_key_secret`, `sts_token` or `security_token`, `expiration`, `mode`).
Result<Credentials, std::string> parse_key_json(std::string_view text);

/// The content of a static_file: a JSON object as above, or lines `name=value` (or `name: value`) with the
/// names `access_key_id`, `access_key_secret`, `security_token` and `expiration`; `#` begins a comment.
Result<Credentials, std::string> parse_key_text(std::string_view text);

/// `value` without a matching pair of quotes around it.
std::string_view unquote(std::string_view value);

}  // namespace sharedrift
