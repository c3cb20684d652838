#include "simulator/auth.hpp"

#include "core/ids.hpp"
#include "core/text.hpp"
#include "simulator/json_args.hpp"
#include "wire/digest.hpp"
#include "wire/encoding.hpp"

#include <algorithm>

namespace sharedrift::simulator {

namespace {

constexpr std::chrono::minutes kWindow{15};

Err<ApiError> refuse(std::string_view code, std::string_view field = {}) {
  return Err(api_error(code, field));
}

/// `2026-11-24T06:30:00Z` exactly, within 15 minutes of the server's clock.
Result<Unit, ApiError> check_time(std::string_view stamp, WallTime now) {
  const std::optional<WallTime> time =
      stamp.size() == 20 && stamp.back() == 'Z' ? parse_rfc3339(stamp) : std::nullopt;
  if (!time) return refuse("InvalidTimeStamp.Format");
  if (*time > now + kWindow || *time < now - kWindow) return refuse("InvalidTimeStamp.Expired");
  return Unit{};
}

Result<const Key*, ApiError> look_up(World& world, std::string_view id) {
  const Key* key = world.find_key(id);
  if (key == nullptr) return refuse("InvalidAccessKeyId.NotFound");
  if (!key->active) return refuse("InvalidAccessKeyId.Inactive");
  return key;
}

/// The token belongs to the key, and is still good.
Result<Unit, ApiError> check_token(const World& world, const Key& key, std::string_view token, WallTime now) {
  if (token.empty() && key.token.empty()) return Unit{};
  if (token.empty()) return refuse("MissingSecurityToken");
  if (token != key.token.reveal()) {
    const auto& keys = world.keys();
    const bool anothers = std::any_of(keys.begin(), keys.end(), [token](const auto& entry) {
      return entry.second.token.reveal() == token;
    });
    return refuse(anothers || key.token.empty() ? "InvalidSecurityToken.MismatchWithAccessKey"
                                                : "InvalidSecurityToken.Malformed");
  }
  if (key.expires && *key.expires <= now) return refuse("InvalidSecurityToken.Expired");
  return Unit{};
}

bool must_be_signed(std::string_view name) {
  return name == "host" || name == "content-type" || name.starts_with("x-acs-");
}

/// All values of a repeated header, sorted and joined by commas.
std::string joined_header(const ServerRequest& request, std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : request.headers) {
    if (key == name) values.push_back(trim(value));
  }
  std::sort(values.begin(), values.end());
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i)
    out.append(i == 0 ? "" : ",").append(values[i]);
  return out;
}

/// The headers that were signed, if they are all that must be.
Result<Pairs, ApiError> signed_headers(const ServerRequest& request, std::string_view list) {
  Pairs out;
  for (const std::string_view name : split(list, ';')) {
    const bool present = std::any_of(request.headers.begin(), request.headers.end(),
                                     [name](const auto& h) { return h.first == name; });
    if (!present) return refuse("IncompleteSignature", "a signed header is not in the request");
    if (!out.empty() && out.back().first >= name) {
      return refuse("IncompleteSignature", "signed headers are not sorted");
    }
    out.emplace_back(std::string(name), joined_header(request, name));
  }
  for (const auto& [name, value] : request.headers) {
    const bool listed =
        std::any_of(out.begin(), out.end(), [&n = name](const auto& h) { return h.first == n; });
    if (must_be_signed(name) && !listed) {
      return refuse("IncompleteSignature", "header " + clean(name, 60) + " is not signed");
    }
  }
  if (header_of(request, "host").empty()) return refuse("IncompleteSignature", "no host");
  return out;
}

Result<const Key*, ApiError> check_acs3(World& world, const Call& call, WallTime now) {
  const ServerRequest& request = *call.request;
  const auto authorization = parse_authorization(header_of(request, "authorization"));
  if (!authorization) return refuse("IncompleteSignature", "the Authorization header is malformed");
  for (const std::string_view name : {"x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"}) {
    if (header_of(request, name).empty()) {
      return refuse("IncompleteSignature", std::string(name) + " is mandatory");
    }
  }
  SD_TRY(in_time, check_time(header_of(request, "x-acs-date"), now));
  static_cast<void>(in_time);
  SD_TRY(headers, signed_headers(request, authorization->signed_headers));
  SD_TRY(key, look_up(world, authorization->key_id));
  const std::string_view body_hash = header_of(request, "x-acs-content-sha256");
  const std::string canonical = acs3_canonical_request(request.method, request.query, headers, body_hash);
  const std::string to_sign = acs3_string_to_sign(canonical);
  if (acs3_signature(key->secret.reveal(), to_sign) != authorization->signature) {
    return refuse("SignatureDoesNotMatch", to_sign + " server CanonicalRequest is:" + canonical);
  }
  if (to_hex(sha256(request.body)) != body_hash) {
    return refuse("SignatureDoesNotMatch", to_sign + " x-acs-content-sha256 is not the hash of the body");
  }
  return key;
}

Result<const Key*, ApiError> check_rpc(World& world, const Call& call, WallTime now) {
  for (const std::string_view name : {"AccessKeyId", "SignatureNonce", "Timestamp", "SignatureMethod"}) {
    if (!call.parameter(name)) return refuse("IncompleteSignature", std::string(name) + " is mandatory");
  }
  if (call.parameter("SignatureMethod") != "HMAC-SHA1" || call.parameter("SignatureVersion") != "1.0") {
    return refuse("IncompleteSignature", "the signature method or version is not supported");
  }
  SD_TRY(in_time, check_time(*call.parameter("Timestamp"), now));
  static_cast<void>(in_time);
  SD_TRY(key, look_up(world, call.key_id));
  const std::string to_sign = rpc_string_to_sign(call.request->method, call.parameters);
  if (rpc_signature(key->secret.reveal(), to_sign) != call.parameter("Signature")) {
    return refuse("SignatureDoesNotMatch", to_sign);
  }
  return key;
}

}  // namespace

bool NonceMemory::insert(std::string_view key_id, std::string_view nonce, MonoTime now) {
  while (!order_.empty() && (order_.front().first + kWindow <= now || order_.size() >= capacity_)) {
    seen_.erase(order_.front().second);
    order_.pop_front();
  }
  std::string both(key_id);
  both.append("\n").append(nonce);
  const std::uint64_t hash = stable_hash(both);
  if (!seen_.insert(hash).second) return false;
  order_.emplace_back(now, hash);
  return true;
}

Result<const Key*, ApiError> authenticate(World& world, NonceMemory& nonces, const Call& call, Instant now) {
  if (call.scheme == Scheme::none) return refuse("IncompleteSignature", "the request is not signed");
  const bool acs3 = call.scheme == Scheme::acs3;
  SD_TRY(key, acs3 ? check_acs3(world, call, now.wall) : check_rpc(world, call, now.wall));
  const std::string_view token =
      acs3 ? header_of(*call.request, "x-acs-security-token") : call.parameter("SecurityToken").value_or("");
  SD_TRY(good, check_token(world, *key, token, now.wall));
  static_cast<void>(good);
  const std::string_view nonce = acs3 ? header_of(*call.request, "x-acs-signature-nonce")
                                      : call.parameter("SignatureNonce").value_or("");
  if (!nonces.insert(key->id, nonce, now.mono) && world.behaviour.nonce_checked)
    return refuse("SignatureNonceUsed");
  return key;
}

}  // namespace sharedrift::simulator
