#include "simulator/signature.hpp"

#include "core/text.hpp"
#include "wire/digest.hpp"
#include "wire/encoding.hpp"

#include <algorithm>

namespace sharedrift::simulator {

namespace {

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
  return "ACS3-HMAC-SHA256\n" + to_hex(sha256(canonical_request));
}

std::string acs3_signature(std::string_view secret, std::string_view string_to_sign) {
  return to_hex(hmac_sha256(secret, string_to_sign));
}

std::string rpc_string_to_sign(std::string_view method, const Pairs& parameters) {
  std::string out(method);
  return out.append("&%2F&").append(percent_encode(canonical_query(parameters, "Signature")));
}

std::string rpc_signature(std::string_view secret, std::string_view string_to_sign) {
  return to_base64(hmac_sha1(std::string(secret) + '&', string_to_sign));
}

}  // namespace sharedrift::simulator
