#include "config/profile_reader.hpp"

#include "config/config_keys.hpp"
#include "config/endpoint.hpp"
#include "core/text.hpp"
#include "wire/json_reader.hpp"

#include <algorithm>

namespace sharedrift {

namespace {

using Kind = CredentialKind;
constexpr unsigned bit(Kind kind) {
  return 1U << static_cast<unsigned>(kind);
}
constexpr unsigned kRoles = bit(Kind::oidc_role) | bit(Kind::ram_role);

/// The sources that a key belongs to.
struct CredentialKey {
  std::string_view key;
  unsigned sources;
};
constexpr std::array<CredentialKey, 14> kBelongsTo{{
    {"file", bit(Kind::static_file) | bit(Kind::cli_profile) | bit(Kind::profile_ini)},
    {"profile", bit(Kind::cli_profile) | bit(Kind::profile_ini)},
    {"role_name", bit(Kind::ecs_ram_role)},
    {"metadata_endpoint", bit(Kind::ecs_ram_role)},
    {"disable_imdsv1", bit(Kind::ecs_ram_role)},
    {"role_arn", kRoles},
    {"role_session_name", kRoles},
    {"policy", kRoles},
    {"duration", kRoles},
    {"oidc_provider_arn", bit(Kind::oidc_role)},
    {"oidc_token_file", bit(Kind::oidc_role)},
    {"external_id", bit(Kind::ram_role)},
    {"from", bit(Kind::ram_role)},
    {"uri", bit(Kind::credentials_uri)},
}};
static_assert(kBelongsTo.size() + 1 == kCredentialKeys.size());

using Check = Result<std::string, UrlFault>;

/// Reads an address. Its text never gets into a message.
template <class F>
void read_url(YamlReader& reader, const Place& at, F check, std::string& out) {
  if (!reader.expect_scalar(at, "an address")) return;
  Check checked = check(reader.raw(at));
  if (checked) {
    out = std::move(*checked);
  } else {
    reader.fail(at, checked.error().message, checked.error().hint);
  }
}

/// `acs:ram::ACCOUNT:KIND/NAME`.
void read_arn(YamlReader& reader, const Place& at, std::string_view kind, std::string& out) {
  constexpr std::string_view kPrefix = "acs:ram::";
  constexpr std::size_t kLongest = 512;
  std::string value;
  if (!reader.text(at, {1, kLongest}, value)) return;
  const std::string_view rest = std::string_view(value).substr(std::min(kPrefix.size(), value.size()));
  const std::size_t colon = rest.find(':');
  const std::string resource = std::string(kind) + "/";
  if (value.starts_with(kPrefix) && colon != std::string_view::npos &&
      AccountId::parse(rest.substr(0, colon)) && rest.substr(colon + 1).starts_with(resource) &&
      rest.size() > colon + 1 + resource.size()) {
    out = std::move(value);
    return;
  }
  reader.fail(at, in_quotes(value) + " is not the ARN of " + (kind == "role" ? "a role" : "an OIDC provider"),
              "acs:ram::ACCOUNT:" + resource + "NAME");
}

/// Text of letters, digits and `more`.
void read_word(YamlReader& reader, const Place& at, TextRule rule, std::string_view more, std::string& out) {
  std::string value;
  if (!reader.text(at, rule, value)) return;
  if (all_alnum_or(value, more)) {
    out = std::move(value);
  } else {
    reader.fail(at, in_quotes(value) + " holds more than letters, digits and " + std::string(more));
  }
}

void read_policy(YamlReader& reader, const Place& at, std::string& out) {
  constexpr std::size_t kLongest = 2048;  // STS takes no more
  if (!reader.expect_scalar(at, "a RAM policy in JSON")) return;
  const std::string_view value = reader.raw(at);
  if (value.size() > kLongest) {
    reader.fail(at, "is too long; " + std::to_string(kLongest) + " bytes at most");
    return;
  }
  const auto policy = parse_json(value);
  if (!policy || !policy->root().is(JsonValue::Kind::object)) {
    reader.fail(at, "expected a RAM policy in JSON", "in single quotes or as a block (|)");
  } else {
    out = value;
  }
}

void refuse_foreign_keys(YamlReader& reader, const Fields& fields, CredentialKind source) {
  const auto named = std::find_if(kCredentialSources.begin(), kCredentialSources.end(),
                                  [source](const Choice<CredentialKind>& c) { return c.value == source; });
  for (const CredentialKey& k : kBelongsTo) {
    if ((k.sources & bit(source)) != 0) continue;
    fields.with(k.key, [&](const Place& at) {
      std::string owners;
      for (const Choice<CredentialKind>& c : kCredentialSources) {
        if ((k.sources & bit(c.value)) != 0) owners.append(owners.empty() ? "" : ", ").append(c.name);
      }
      reader.fail_key(at, "does not belong to the source " + std::string(named->name), "only to " + owners);
    });
  }
}

void read_role_keys(YamlReader& reader, const Fields& fields, CredentialSpec& out) {
  fields.with("role_arn", [&](const Place& at) { read_arn(reader, at, "role", out.role_arn); });
  fields.with("oidc_provider_arn",
              [&](const Place& at) { read_arn(reader, at, "oidc-provider", out.oidc_provider_arn); });
  fields.with("oidc_token_file", [&](const Place& at) { reader.file_path(at, out.oidc_token_file); });
  fields.with("role_session_name", [&](const Place& at) {
    read_word(reader, at, {2, 64}, ".@-_", out.role_session_name);
  });
  fields.with("external_id", [&](const Place& at) {
    read_word(reader, at, {2, 1224}, "+=,.@:/-_", out.external_id);
  });
  fields.with("policy", [&](const Place& at) { read_policy(reader, at, out.policy); });
  fields.with("duration", [&](const Place& at) {
    Millis value{};
    if (reader.duration(at, kShortestSession, kLongestSession, value)) out.duration = value;
  });
  fields.with("from", [&](const Place& at) { out.from.push_back(read_credentials(reader, at)); });
}

}  // namespace

bool is_config_name(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  return !name.empty() && name.size() <= kLongest && all_alnum_or(name, "._-");
}

CredentialSpec read_credentials(YamlReader& reader, const Place& at) {
  CredentialSpec out;
  if (reader.kind(at) == YamlKind::scalar) {
    const bool known = std::any_of(kCredentialSources.begin(), kCredentialSources.end(),
                                   [&](const Choice<CredentialKind>& c) { return c.name == reader.raw(at); });
    reader.fail(at, "expected a map, found a single value",
                known ? "write {source: " + std::string(reader.raw(at)) + "}" : "write {source: ...}");
    return out;
  }
  Fields fields(reader, at, kCredentialKeys);
  const auto source = fields.require("source");
  const bool source_known = source && reader.choice(*source, kCredentialSources, out.source);
  if (source_known) {
    refuse_foreign_keys(reader, fields, out.source);
    if (out.source == CredentialKind::ram_role) fields.require("role_arn");
  }
  fields.with("file", [&](const Place& p) { reader.file_path(p, out.file); });
  fields.with("profile", [&](const Place& p) { reader.text(p, {1, 200}, out.profile); });
  fields.with("role_name", [&](const Place& p) { read_word(reader, p, {1, 64}, ".-_", out.role_name); });
  fields.with("metadata_endpoint",
              [&](const Place& p) { read_url(reader, p, check_metadata_endpoint, out.metadata_endpoint); });
  fields.with("disable_imdsv1", [&](const Place& p) { reader.boolean(p, out.disable_imdsv1); });
  fields.with("uri", [&](const Place& p) { read_url(reader, p, check_credentials_uri, out.uri); });
  read_role_keys(reader, fields, out);
  return out;
}

ProfileConfig read_profile(YamlReader& reader, std::string_view name, const Place& at) {
  ProfileConfig out;
  out.name = name;
  const Fields fields(reader, at, kProfileKeys);
  read_members(reader, fields, kProfileMembers, out);
  const auto endpoint_of = [&out](Service service) {
    return [service, &out](std::string_view text) {
      return check_endpoint(text, service, out.allow_any_endpoint);
    };
  };
  fields.with("endpoint",
              [&](const Place& p) { read_url(reader, p, endpoint_of(Service::ens), out.endpoint); });
  fields.with("sts_endpoint",
              [&](const Place& p) { read_url(reader, p, endpoint_of(Service::sts), out.sts_endpoint); });
  fields.with("owner_account", [&](const Place& p) { out.owner_account = reader.account(p); });
  fields.with("credentials", [&](const Place& p) { out.credentials = read_credentials(reader, p); });
  fields.with("proxy_url", [&](const Place& p) { read_url(reader, p, check_proxy, out.proxy_url); });
  fields.with("proxy_from_environment", [&](const Place& p) {
    if (out.proxy_from_environment && !out.proxy_url.empty()) {
      reader.fail_key(p, "cannot stand beside proxy_url", "one of them");
    }
  });
  return out;
}

}  // namespace sharedrift
