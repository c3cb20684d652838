#include "credentials/key_text.hpp"

#include "core/text.hpp"
#include "wire/json_reader.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace sharedrift {

namespace {

constexpr std::size_t kMaxId = 128;
constexpr std::size_t kMaxSecret = 256;
constexpr std::size_t kMaxToken = 16U << 10U;

/// Copies from web pages and editors bring these along: byte order mark, no-break space, zero-width
/// characters, word joiner, ideographic space.
constexpr std::array<std::string_view, 7> kInvisible{"\xEF\xBB\xBF", "\xC2\xA0",     "\xE2\x80\x8B",
                                                     "\xE2\x80\x8C", "\xE2\x80\x8D", "\xE2\x81\xA0",
                                                     "\xE3\x80\x80"};

std::string_view trim_invisible(std::string_view text) {
  for (bool again = true; again;) {
    again = false;
    text = trim(text);
    for (const std::string_view junk : kInvisible) {
      if (text.substr(0, junk.size()) == junk) {
        text.remove_prefix(junk.size());
        again = true;
      }
      if (text.size() >= junk.size() && text.substr(text.size() - junk.size()) == junk) {
        text.remove_suffix(junk.size());
        again = true;
      }
    }
  }
  return text;
}

bool in_id(char c) {
  return is_alnum(c) || c == '.' || c == '-' || c == '_';
}
bool visible(char c) {
  return c > ' ' && c <= '~';
}

std::optional<std::string> fault(std::string_view text, std::string_view name, std::size_t max_bytes,
                                 bool (*allowed)(char)) {
  if (text.empty()) return std::string{name} + " is empty";
  if (text.size() > max_bytes) {
    return std::string{name} + " is longer than " + std::to_string(max_bytes) + " bytes";
  }
  const auto* const bad = std::find_if_not(text.begin(), text.end(), allowed);
  if (bad == text.end()) return std::nullopt;
  return std::string{name} + " holds a character that no key has, at byte " +
         std::to_string(bad - text.begin() + 1) + ": paste it again without quotes, brackets and blanks";
}

/// What is wrong with the line; none: it is taken.
std::optional<std::string> put_line(std::string_view line, KeyParts& parts) {
  const std::size_t sign = line.find_first_of("=:");
  if (sign == std::string_view::npos) return "is not of the form name=value";
  const std::string_view name = trim(line.substr(0, sign));
  const std::string_view value = unquote(trim(line.substr(sign + 1)));
  std::string_view* slot = nullptr;
  if (name == "access_key_id") slot = &parts.id;
  if (name == "access_key_secret") slot = &parts.secret;
  if (name == "security_token" || name == "sts_token") slot = &parts.token;
  if (name == "expiration") slot = &parts.expires;
  if (slot == nullptr) {  // the name is not shown: it may be a key pasted without one
    return "has an unknown name; known are access_key_id, access_key_secret, security_token and expiration";
  }
  if (slot->data() != nullptr) return std::string{name} + " is given twice";
  *slot = value.data() == nullptr ? std::string_view{""} : value;
  return std::nullopt;
}

}  // namespace

std::string_view unquote(std::string_view value) {
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.front() == value.back()) {
    return value.substr(1, value.size() - 2);
  }
  return value;
}

Result<Credentials, std::string> make_key(const KeyParts& parts) {
  const std::string_view id = trim_invisible(parts.id);
  const std::string_view secret = trim_invisible(parts.secret);
  const std::string_view token = trim_invisible(parts.token);
  if (auto bad = fault(id, parts.id_name, kMaxId, in_id)) return Err(std::move(*bad));
  if (auto bad = fault(secret, parts.secret_name, kMaxSecret, visible)) return Err(std::move(*bad));
  if (token.empty() && id.starts_with("STS.")) {
    return Err(std::string{parts.id_name} +
               " begins with STS., so the key is temporary, and its token is not there: " +
               std::string{parts.token_name});
  }
  Credentials credentials;
  if (!token.empty()) {
    if (auto bad = fault(token, parts.token_name, kMaxToken, visible)) return Err(std::move(*bad));
    credentials.security_token = Secret{token};
  }
  if (const std::string_view expires = trim(parts.expires); !expires.empty()) {
    credentials.expires = parse_rfc3339(expires);
    if (!credentials.expires)
      return Err(std::string{"its expiration is not a time such as 2027-01-31T12:00:00Z"});
  }
  credentials.access_key_id = id;
  credentials.access_key_secret = Secret{secret};
  return credentials;
}

Result<Credentials, std::string> parse_key_json(std::string_view text) {
  const auto document = parse_json(text);
  if (!document) return Err("not a JSON object: " + document.error().what);
  const JsonValue& json = document->root();
  if (!json.is(JsonValue::Kind::object)) return Err(std::string{"not a JSON object"});
  if (const auto code = json.string("Code"); !code.empty() && code != "Success") {
    return Err("answers with Code " + clean(code, 60));
  }
  const bool camel = json.find("AccessKeyId") != nullptr || json.find("AccessKeySecret") != nullptr;
  KeyParts parts;
  if (camel) {
    parts = {json.string("AccessKeyId"),
             json.string("AccessKeySecret"),
             json.string("SecurityToken"),
             json.string("Expiration"),
             "AccessKeyId",
             "AccessKeySecret",
             "SecurityToken"};
  } else {
    const bool sts = json.find("sts_token") != nullptr;
    parts = {json.string("access_key_id"), json.string("access_key_secret"),
             json.string(sts ? "sts_token" : "security_token"), json.string("expiration")};
    if (json.string("mode") == "StsToken" && trim(parts.token).empty()) {
      return Err(std::string{"mode is StsToken, but there is no sts_token"});
    }
  }
  return make_key(parts);
}

Result<Credentials, std::string> parse_key_text(std::string_view text) {
  text = trim_invisible(text);
  if (text.substr(0, 1) == "{") return parse_key_json(text);
  KeyParts parts;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (const auto wrong = put_line(line, parts)) return Err("line " + std::to_string(number) + " " + *wrong);
  }
  return make_key(parts);
}

}  // namespace sharedrift
