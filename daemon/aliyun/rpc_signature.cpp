#include "aliyun/rpc_signature.hpp"

#include "core/text.hpp"
#include "wire/digest.hpp"
#include "wire/encoding.hpp"

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
  std::size_t room = 0;
  for (const auto& [name, value] : parameters)
    room += 3 * (name.size() + value.size()) + 2;
  std::string out;
  out.reserve(room);  // what grows leaves copies of a token behind
  for (const auto& [name, value] : parameters)
    append_parameter(out, name, value);
  return out;
}

std::string api_time(WallTime time) {
  return format_rfc3339(time).substr(0, 19) + "Z";
}

std::string rpc_signature(std::string_view method, const RpcParameters& parameters, const Secret& secret) {
  if (secret.empty()) return {};
  std::string query = encode_parameters(parameters);
  std::string text;
  text.reserve(method.size() + 5 + 3 * query.size());
  text.append(method).append("&%2F&");
  append_encoded(text, query);
  std::string key;
  key.reserve(secret.reveal().size() + 1);
  key.append(secret.reveal()).append("&");
  const std::string mac = hmac_sha1(key, text);
  for (std::string* const held : {&query, &text, &key})
    wipe(*held);
  return to_base64(mac);
}

}  // namespace sharedrift
