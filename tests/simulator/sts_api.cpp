#include "core/text.hpp"
#include "simulator/api.hpp"
#include "simulator/json_args.hpp"

#include <algorithm>

namespace sharedrift::simulator {

namespace {

using std::chrono::seconds;

constexpr std::size_t kMaxPolicy = 2'048;

/// What every kind of AssumeRole asks for, checked.
struct RoleRequest {
  const Role* role = nullptr;
  std::string session_name;
  seconds duration{3'600};
  std::optional<std::vector<Statement>> policy;
};

bool is_session_name(std::string_view text) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.@-_";
  return text.size() >= 2 && text.size() <= 64 && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

Result<RoleRequest, ApiError> role_request(const ApiContext& context) {
  const Call& call = context.call;
  const auto arn = call.parameter("RoleArn");
  const auto name = call.parameter("RoleSessionName");
  if (!arn || !name) return Err(api_error("MissingParameter"));
  if (!arn->starts_with("acs:ram::") || arn->find(":role/") == std::string_view::npos) {
    return invalid("RoleArn");
  }
  if (!is_session_name(*name)) return invalid("RoleSessionName");
  RoleRequest out;
  out.session_name = *name;
  out.role = context.world.find_role(*arn);
  if (out.role == nullptr) return Err(api_error("EntityNotExist.Role", *arn));
  if (const auto text = call.parameter("DurationSeconds")) {
    const auto duration = parse_integer(*text, 900, out.role->max_session.count());
    if (!duration) return invalid("DurationSeconds");
    out.duration = seconds{*duration};
  }
  if (const auto text = call.parameter("Policy")) {
    if (text->size() > kMaxPolicy) return invalid("PolicySize");
    out.policy = parse_policy(*text);
    if (!out.policy) return invalid("PolicyGrammar");
  }
  return out;
}

bool is_trusted(const Role& role, std::string_view account, std::string_view arn) {
  if (role.trusted.empty()) return role.account == account;
  return std::any_of(role.trusted.begin(), role.trusted.end(),
                     [&](const std::string& t) { return t == account || t == arn; });
}

std::string members(const std::vector<std::pair<std::string_view, std::string_view>>& list) {
  std::string out = "{";
  for (const auto& [name, value] : list) {
    out.append(out.size() > 1 ? "," : "").append("\"").append(name).append("\":");
    append_json_string(out, value);
  }
  return out + "}";
}

std::string opened(ApiContext& context, RoleRequest request) {
  const WallTime end = context.now + request.duration;
  const Key& key = *open_session(context.world, context.ids, *request.role, request.session_name,
                                 std::move(request.policy), end);
  return "{\"RequestId\":\"" + context.request_id +
         "\",\"AssumedRoleUser\":" + members({{"AssumedRoleId", key.principal_id}, {"Arn", key.arn}}) +
         ",\"Credentials\":" +
         members({{"AccessKeyId", key.id},
                  {"AccessKeySecret", key.secret.reveal()},
                  {"SecurityToken", key.token.reveal()},
                  {"Expiration", format_api_time(end)}}) +
         "}";
}

}  // namespace

const Key* open_session(World& world, IdSource& ids, const Role& role, std::string_view session_name,
                        std::optional<std::vector<Statement>> policy, WallTime expires) {
  Key key;
  key.id = "STS." + ids.letters(24);
  key.secret = Secret(ids.letters(44));
  key.token = Secret("CAIS" + ids.letters(120));
  key.account = role.account;
  key.arn = "acs:ram::" + role.account + ":assumed-role/" + role.name + "/" + std::string(session_name);
  key.principal_id =
      std::to_string(300'000'000'000'000'000 + stable_hash(role.arn()) % 100'000'000'000'000'000);
  key.principal_id.append(":").append(session_name);
  key.kind = PrincipalKind::assumed_role;
  key.rights = {statements_from(role.rights), std::move(policy)};
  key.expires = expires;
  return &world.add_session(std::move(key));
}

ApiResult get_caller_identity(ApiContext& context) {
  const Key& caller = *context.caller;
  std::string_view type = "RAMUser";
  if (caller.kind == PrincipalKind::account) type = "Account";
  if (caller.kind == PrincipalKind::assumed_role) type = "AssumedRoleUser";
  return members({{"RequestId", context.request_id},
                  {"AccountId", caller.account},
                  {"Arn", caller.arn},
                  {"IdentityType", type},
                  {"PrincipalId", caller.principal_id},
                  {"UserId", caller.principal_id}});
}

ApiResult assume_role(ApiContext& context) {
  SD_TRY(request, role_request(context));
  const Key& caller = *context.caller;
  ApiError denied = api_error("NoPermission");
  denied.status = 403;  // STS says so, unlike ENS
  if (caller.kind == PrincipalKind::account) {
    denied.message = "Roles may not be assumed by root accounts.";
    return Err(denied);
  }
  const std::string& external_id = request.role->external_id;
  const bool right_id = external_id.empty() || context.call.parameter("ExternalId") == external_id;
  if (!right_id || !is_trusted(*request.role, caller.account, caller.arn)) return Err(denied);
  return opened(context, std::move(request));
}

ApiResult assume_role_with_oidc(ApiContext& context) {
  const auto provider_arn = context.call.parameter("OIDCProviderArn");
  const auto token = context.call.parameter("OIDCToken");
  if (!provider_arn || !token) return Err(api_error("MissingParameter"));
  SD_TRY(request, role_request(context));
  const auto& providers = context.world.oidc_providers;
  const auto provider = std::find_if(providers.begin(), providers.end(),
                                     [&](const OidcProvider& p) { return p.arn == *provider_arn; });
  if (provider == providers.end()) return invalid("OIDCProviderArn");
  const std::vector<std::string>& trusted = request.role->trusted;
  if (!trusted.empty() && std::find(trusted.begin(), trusted.end(), provider->arn) == trusted.end()) {
    return Err(api_error("AuthenticationFail.NoPermission"));
  }
  const std::string expected =
      provider->token_file.empty() ? provider->token : context.read_file(provider->token_file).value_or("");
  if (trim(expected).empty() || trim(expected) != trim(*token)) {
    return Err(api_error("AuthenticationFail.OIDCToken.Invalid"));
  }
  return opened(context, std::move(request));
}

}  // namespace sharedrift::simulator
