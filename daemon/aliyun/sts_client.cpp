#include "aliyun/sts_client.hpp"

#include "aliyun/classify.hpp"
#include "aliyun/rpc_signature.hpp"
#include "core/failure.hpp"
#include "core/text.hpp"
#include "wire/encoding.hpp"
#include "wire/json_reader.hpp"

namespace sharedrift {

namespace {

constexpr Millis kTimeout{10'000};
constexpr std::size_t kMaxAnswer = 256U << 10U;

ApiError refusal(int http_status, const JsonValue& body, const std::string& role_arn) {
  const std::string what =
      "STS does not give role " + clean(role_arn, 120) + ": HTTP " + std::to_string(http_status);
  ApiError error = classify_refusal(body.string("Code"), http_status, body.string("RequestId"),
                                    body.string("Message"), "sts:AssumeRole");
  Failure& failure = error.failure;
  const bool no_right = failure.reason == Reason::forbidden;
  failure.reason = Reason::credentials;
  if (failure.code.empty()) {
    failure.detail = what + ", which is not an answer of STS: check sts_endpoint and proxy_url";
    return error;
  }
  failure.detail = what + ", " + failure.code + ": " + failure.detail;
  if (no_right)
    failure.detail += "; let the role trust the key's account; a main account's own key assumes no role";
  return error;
}

Failure unreachable(const RoleRequest& role, const TransportError& error) {
  constexpr int kProxyRefused = 407;
  Failure failure =
      make_failure(Reason::credentials, "STS at " + clean(role.endpoint, 100) +
                                            " cannot be asked: " + std::string{to_string(error.reason)} +
                                            ", " + clean(error.detail));
  if (error.kind == TransportError::Kind::refused) failure.http_status = kProxyRefused;
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

StsClient::StsClient(Clock& clock, Random& random, HttpFetch fetch, std::shared_ptr<const HttpRoute> route,
                     std::shared_ptr<ClockCorrection> correction)
    : clock_(clock),
      random_(random),
      fetch_(std::move(fetch)),
      route_(std::move(route)),
      correction_(std::move(correction)) {}

HttpRequest StsClient::build(const RoleRequest& role, const Credentials* key, Millis correction) const {
  const bool oidc = !role.oidc_token.empty();
  RpcParameters parameters{{"Action", oidc ? "AssumeRoleWithOIDC" : "AssumeRole"},
                           {"Version", "2015-04-01"},
                           {"Format", "JSON"},
                           {"Timestamp", api_time(clock_.wall() + correction)},
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
  for (bool again = false;; again = true) {
    const Millis correction = (*correction_)();
    const MonoTime sent = clock_.mono();
    HttpResult answer = fetch_(build(role, key, correction), kTimeout, stop);
    if (!answer) return Err(unreachable(role, answer.error()));
    correction_->learn(*answer, sent, clock_.now());
    const auto document = parse_json(answer->body);
    wipe(answer->body);
    const JsonValue nothing;
    const JsonValue& body = document ? document->root() : nothing;
    if (answer->status == 200) return read_credentials(body, role.role_arn);
    ApiError error = refusal(answer->status, body, role.role_arn);
    if (again || error.remedy != Remedy::new_time || !correction_->differs_from(correction))
      return Err(std::move(error.failure));
  }
}

}  // namespace sharedrift
