#include "aliyun/sts_client.hpp"

#include "aliyun/rpc_signature.hpp"
#include "core/failure.hpp"
#include "core/text.hpp"
#include "wire/encoding.hpp"
#include "wire/json_reader.hpp"

#include <array>

namespace sharedrift {

namespace {

constexpr Millis kTimeout{10'000};
constexpr std::size_t kMaxAnswer = 256U << 10U;

/// What to do about a refusal. Codes are compared by their beginning: some have a tail that varies.
struct Remedy {
  std::string_view code;
  std::string_view text;
};
constexpr std::array kRemedies{
    Remedy{"NoPermission",
           "allow the key sts:AssumeRole on the role, and let the role trust the key's account (a main "
           "account's own key may not assume roles)"},
    Remedy{"EntityNotExist.Role", "check role_arn"},
    Remedy{"InvalidAccessKeyId", "the key that assumes the role is unknown or disabled"},
    Remedy{"InvalidSecurityToken", "the token of the key that assumes the role is not valid any more"},
    Remedy{"SignatureDoesNotMatch", "the secret of the key that assumes the role is wrong"},
    Remedy{"IncompleteSignature", "the secret of the key that assumes the role is wrong"},
    Remedy{"InvalidTimeStamp", "this machine's clock is wrong"},
    Remedy{"IllegalTimestamp", "this machine's clock is wrong"},
    Remedy{"AuthenticationFail",
           "the role does not trust the OIDC token: check oidc_provider_arn, the token's audience and "
           "the role's trust policy"},
    Remedy{"Throttling", "it is tried again"},
};

/// The API's own words, without what must not be repeated: with signature errors it echoes the string to
/// sign, and with it key and token.
std::string told(std::string_view code, std::string_view message) {
  if (code.find("Signature") != std::string::npos || message.find("string to sign") != std::string::npos)
    return {};
  return clean(message, 160);
}

Failure refusal(int http_status, const JsonValue& body, const std::string& role_arn) {
  Failure failure = make_failure(Reason::credentials, "STS does not give role " + clean(role_arn, 120) +
                                                          ": HTTP " + std::to_string(http_status));
  failure.http_status = http_status;
  failure.code = clean(trim(body.string("Code")), 80);
  failure.request_id = clean(body.string("RequestId"), 80);
  if (failure.code.empty()) {
    failure.detail += ", which is not an answer of STS: check sts_endpoint and proxy_url";
    return failure;
  }
  failure.detail += ", " + failure.code;
  if (const std::string message = told(failure.code, body.string("Message")); !message.empty()) {
    failure.detail += " (" + message + ")";
  }
  for (const Remedy& remedy : kRemedies) {
    if (!failure.code.starts_with(remedy.code)) continue;
    failure.detail.append(": ").append(remedy.text);
    break;
  }
  return failure;
}

Result<Credentials, Failure> read_credentials(const JsonValue& body, const std::string& role_arn) {
  const auto unusable = [&role_arn](const std::string& why) {
    return Err(make_failure(Reason::credentials,
                            "STS's answer about role " + clean(role_arn, 120) + " is of no use: " + why));
  };
  const JsonValue* found = body.find("Credentials");
  if (found == nullptr || !found->is(JsonValue::Kind::object)) return unusable("it holds no Credentials");
  Credentials got;
  got.access_key_id = found->string("AccessKeyId");
  got.access_key_secret = Secret{found->string("AccessKeySecret")};
  got.security_token = Secret{found->string("SecurityToken")};
  got.expires = parse_rfc3339(found->string("Expiration"));
  if (got.access_key_id.empty() || got.access_key_secret.empty() || got.security_token.empty()) {
    return unusable("key, secret or token is missing");
  }
  if (!got.expires) return unusable("its Expiration is not a time");
  return got;
}

}  // namespace

StsClient::StsClient(Clock& clock, Random& random, HttpFetch fetch, std::shared_ptr<const HttpRoute> route)
    : clock_(clock), random_(random), fetch_(std::move(fetch)), route_(std::move(route)) {}

HttpRequest StsClient::build(const RoleRequest& role, const Credentials* key) const {
  const bool oidc = !role.oidc_token.empty();
  RpcParameters parameters{{"Action", oidc ? "AssumeRoleWithOIDC" : "AssumeRole"},
                           {"Version", "2015-04-01"},
                           {"Format", "JSON"},
                           {"Timestamp", api_time(clock_.wall())},
                           {"RoleArn", role.role_arn},
                           {"RoleSessionName", role.session_name},
                           {"DurationSeconds", std::to_string(role.duration.count())}};
  if (!role.policy.empty()) parameters["Policy"] = role.policy;
  if (oidc) {
    parameters["OIDCProviderArn"] = role.oidc_provider_arn;
    parameters["OIDCToken"] = role.oidc_token.reveal();
  } else {
    if (!role.external_id.empty()) parameters["ExternalId"] = role.external_id;
    parameters["AccessKeyId"] = key->access_key_id;
    if (!key->security_token.empty()) parameters["SecurityToken"] = key->security_token.reveal();
    parameters["SignatureMethod"] = "HMAC-SHA1";
    parameters["SignatureVersion"] = "1.0";
    parameters["SignatureNonce"] = make_nonce(random_);
    parameters["Signature"] = rpc_signature("POST", parameters, key->access_key_secret);
  }
  HttpRequest request;
  request.method = "POST";
  request.url = role.endpoint + "/";
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  request.body = encode_parameters(parameters);
  request.route = route_;
  request.max_body = kMaxAnswer;
  for (auto& [name, value] : parameters)
    wipe(value);
  return request;
}

Result<Credentials, Failure> StsClient::assume(const RoleRequest& role, const Credentials* key,
                                               std::stop_token stop) {
  if (role.oidc_token.empty() && (key == nullptr || key->access_key_secret.empty())) {
    return Err(make_failure(Reason::credentials,
                            "there is no key to assume role " + clean(role.role_arn, 120) + " with"));
  }
  HttpResult answer = fetch_(build(role, key), kTimeout, std::move(stop));
  if (!answer) {
    return Err(make_failure(Reason::credentials,
                            "STS at " + clean(role.endpoint, 100) +
                                " cannot be asked: " + std::string{to_string(answer.error().reason)} + ", " +
                                clean(answer.error().detail)));
  }
  const auto document = parse_json(answer->body);
  wipe(answer->body);
  const JsonValue nothing;
  const JsonValue& body = document ? document->root() : nothing;
  if (answer->status != 200) return Err(refusal(answer->status, body, role.role_arn));
  return read_credentials(body, role.role_arn);
}

}  // namespace sharedrift
