#include "core/text.hpp"
#include "credentials/finding.hpp"

#include <algorithm>

/// Roles that are assumed at STS.
namespace sharedrift {

namespace {

constexpr std::size_t kMaxTokenFile = 64U << 10U;
constexpr std::string_view kSessionName = "share-drift-exporter";

std::optional<std::string> fault(const RoleRequest& role) {
  if (role.role_arn.substr(0, 4) != "acs:" || !all_alnum_or(role.role_arn, ":/.@_-")) {
    return "\"" + clean(role.role_arn, 100) +
           "\" is not the ARN of a role, such as acs:ram::1111111111111111:role/name";
  }
  if (role.session_name.size() < 2 || role.session_name.size() > 64 ||
      !all_alnum_or(role.session_name, ".@_-")) {
    return "\"" + clean(role.session_name, 80) +
           "\" is not a role session name (2 to 64 letters, digits and .@_-)";
  }
  if (role.duration < std::chrono::minutes{15} || role.duration > std::chrono::hours{12}) {
    return std::string{"the duration of the role session is not from 15 minutes to 12 hours"};
  }
  return std::nullopt;
}

Result<Secret, std::string> read_token(const std::string& file) {
  const auto read = read_key_file(file, kMaxTokenFile);
  if (!read) return Err("OIDC token " + read.error().what);
  const std::string_view token = trim(read->text.reveal());
  if (!std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; })) {
    return Err("OIDC token " + clean(file, 300) + ": does not hold a token");
  }
  return Secret{token};
}

}  // namespace

Result<std::string, std::string> sts_endpoint(const Sight& sight, std::string_view region, bool vpc) {
  if (!sight.world.sts_endpoint.empty()) return sight.world.sts_endpoint;
  const std::string from_variable = sight.variable("ALIBABA_CLOUD_STS_REGION");
  if (region.empty()) region = from_variable;
  const auto is_name = [](std::string_view name, std::string_view extra) {
    return !name.empty() && name.size() <= 100 && all_alnum_or(name, extra);
  };
  if (!region.empty()) {
    if (!is_name(region, "-")) return Err("\"" + clean(region, 40) + "\" is not the name of an STS region");
    const bool in_vpc = vpc || sight.enabled("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED");
    return std::string{in_vpc ? "https://sts-vpc." : "https://sts."} + std::string{region} + ".aliyuncs.com";
  }
  if (const std::string host = sight.variable("ALIBABA_CLOUD_STS_ENDPOINT"); !host.empty()) {
    if (!is_name(host, ".-")) return Err(std::string{"ALIBABA_CLOUD_STS_ENDPOINT is not a host name"});
    return "https://" + host;
  }
  return std::string{"https://sts.aliyuncs.com"};
}

Result<RoleRequest, std::string> role_request(const CredentialSpec& options, const Sight& sight,
                                              std::string_view arn_name) {
  RoleRequest role;
  role.role_arn = sight.given_or(options.role_arn, "ALIBABA_CLOUD_ROLE_ARN");
  if (role.role_arn.empty())
    return Err(std::string{arn_name} + " is empty, and " + not_set(sight, "ALIBABA_CLOUD_ROLE_ARN"));
  role.session_name = sight.given_or(options.role_session_name, "ALIBABA_CLOUD_ROLE_SESSION_NAME");
  if (role.session_name.empty()) role.session_name = kSessionName;
  role.external_id = options.external_id;
  role.policy = options.policy;
  if (options.duration) role.duration = std::chrono::duration_cast<std::chrono::seconds>(*options.duration);
  SD_TRY(endpoint, sts_endpoint(sight, "", false));
  role.endpoint = std::move(endpoint);
  if (auto bad = fault(role)) return Err(std::move(*bad));
  return role;
}

Finding assume_role(RoleRequest role, Finding base, const CredentialWorld& world) {
  Obtain get_key;
  std::function<std::string()> preflight;
  if (auto* key = std::get_if<Credentials>(&base)) {
    get_key = [key = std::move(*key)](const std::stop_token& /*stop*/) -> Result<Credentials, Failure> {
      return key;
    };
  } else if (auto* remote = std::get_if<Remote>(&base)) {
    get_key = std::move(remote->obtain);
    preflight = std::move(remote->preflight);
  } else {
    return base;
  }
  auto obtain = [role = std::move(role), get_key = std::move(get_key),
                 &world](std::stop_token stop) -> Result<Credentials, Failure> {
    auto key = get_key(stop);
    if (!key) return key;
    auto got = world.sts.assume(role, &*key, std::move(stop));
    if (got && got->warning.empty()) got->warning = key->warning;
    return got;
  };
  return Remote{std::move(obtain), false, std::move(preflight)};
}

Finding assume_role_with_oidc(RoleRequest role, std::string token_file, const CredentialWorld& world) {
  if (role.oidc_provider_arn.empty()) return Broken{"the ARN of the OIDC provider is not set"};
  if (token_file.empty()) return Broken{"the path of the OIDC token is not set"};
  const auto preflight = [token_file] {
    const auto token = read_token(token_file);
    return token ? std::string{} : token.error();
  };
  auto obtain = [role = std::move(role), token_file = std::move(token_file),
                 &world](std::stop_token stop) -> Result<Credentials, Failure> {
    auto token = read_token(token_file);  // the cluster replaces it every hour or so
    if (!token) return Err(credential_failure(std::move(token).error()));
    RoleRequest request = role;
    request.oidc_token = std::move(*token);
    return world.sts.assume(request, nullptr, std::move(stop));
  };
  return Remote{std::move(obtain), false, preflight};
}

Finding look_oidc_role(const CredentialSpec& options, Sight& sight) {
  const std::string arn = sight.given_or(options.role_arn, "ALIBABA_CLOUD_ROLE_ARN");
  const std::string provider = sight.given_or(options.oidc_provider_arn, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN");
  const std::string token = sight.given_or(options.oidc_token_file, "ALIBABA_CLOUD_OIDC_TOKEN_FILE");
  if (provider.empty()) return Absent{not_set(sight, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN")};
  if (token.empty()) return Absent{not_set(sight, "ALIBABA_CLOUD_OIDC_TOKEN_FILE")};
  if (arn.empty()) return Absent{not_set(sight, "ALIBABA_CLOUD_ROLE_ARN")};
  auto role = role_request(options, sight);
  if (!role) return Broken{std::move(role).error()};
  role->oidc_provider_arn = provider;
  return assume_role_with_oidc(std::move(*role), token, sight.world);
}

}  // namespace sharedrift
