#include "simulator/call.hpp"

#include "core/text.hpp"
#include "simulator/json_args.hpp"

namespace sharedrift::simulator {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string form_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

/// `name=value` with exactly that name; nothing otherwise.
std::optional<std::string_view> after(std::string_view part, std::string_view prefix) {
  if (!part.starts_with(prefix) || part.size() == prefix.size()) return std::nullopt;
  return part.substr(prefix.size());
}

}  // namespace

std::optional<std::string_view> Call::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name && !value.empty()) return value;
  }
  return std::nullopt;
}

std::string_view header_of(const ServerRequest& request, std::string_view lower_case_name) {
  for (const auto& [name, value] : request.headers) {
    if (name == lower_case_name) return trim(value);
  }
  return {};
}

Pairs parse_form(std::string_view body) {
  Pairs out;
  if (body.empty()) return out;
  for (const std::string_view pair : split(body, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    out.emplace_back(form_decoded(pair.substr(0, equals)), form_decoded(value));
  }
  return out;
}

std::optional<Acs3Authorization> parse_authorization(std::string_view header) {
  const std::optional<std::string_view> rest = after(header, "ACS3-HMAC-SHA256 ");
  if (!rest) return std::nullopt;
  const std::vector<std::string_view> parts = split(*rest, ',');
  if (parts.size() != 3) return std::nullopt;
  const auto key_id = after(parts[0], "Credential=");
  const auto names = after(parts[1], "SignedHeaders=");
  const auto signature = after(parts[2], "Signature=");
  if (!key_id || !names || !signature) return std::nullopt;
  return Acs3Authorization{*key_id, *names, *signature};
}

Call parse_call(const ServerRequest& request) {
  Call call;
  call.request = &request;
  call.parameters = request.query;
  if (header_of(request, "content-type").starts_with("application/x-www-form-urlencoded")) {
    for (auto& parameter : parse_form(request.body))
      call.parameters.push_back(std::move(parameter));
  }
  const auto either = [&call, &request](std::string_view header, std::string_view parameter) {
    const std::string_view value = header_of(request, header);
    return std::string(value.empty() ? call.parameter(parameter).value_or("") : value);
  };
  call.action = either("x-acs-action", "Action");
  call.version = either("x-acs-version", "Version");
  const std::string_view authorization = header_of(request, "authorization");
  if (!authorization.empty()) {
    call.scheme = Scheme::acs3;
    if (const auto parsed = parse_authorization(authorization)) call.key_id = parsed->key_id;
  } else if (call.parameter("Signature")) {
    call.scheme = Scheme::rpc;
    call.key_id = call.parameter("AccessKeyId").value_or("");
  }
  return call;
}

}  // namespace sharedrift::simulator
