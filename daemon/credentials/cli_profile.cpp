#include "core/text.hpp"
#include "credentials/finding.hpp"
#include "credentials/key_text.hpp"
#include "wire/json_reader.hpp"

#include <algorithm>

/// The configuration file of the aliyun command line tool: `{"current": NAME, "profiles": [{"name", "mode",
/// ...}]}`. What a profile means hangs on its mode.
namespace sharedrift {

namespace {

constexpr std::size_t kMaxConfig = 1U << 20U;
constexpr int kMaxSourceProfiles = 5;

const std::vector<JsonValue>& profiles_of(const JsonValue& json) {
  static const std::vector<JsonValue> none;
  const JsonValue* list = json.find("profiles");
  return list != nullptr && list->is(JsonValue::Kind::array) ? list->items : none;
}

class CliConfig {
 public:
  /// `may_run`: nobody else can write to the file, so its commands may be run.
  CliConfig(const CredentialSpec& options, Sight& sight, const JsonValue& json, bool may_run)
      : options_(options), sight_(sight), profiles_(profiles_of(json)), may_run_(may_run) {}

  Finding profile(std::string_view name, int depth);

 private:
  [[nodiscard]] Finding key(const JsonValue& p, bool with_token) const;
  Finding ram_role(const JsonValue& p, Finding base);
  Finding chained(const JsonValue& p, int depth);
  Finding oidc(const JsonValue& p);
  [[nodiscard]] Result<RoleRequest, std::string> role(const JsonValue& p) const;

  const CredentialSpec& options_;
  Sight& sight_;
  const std::vector<JsonValue>& profiles_;
  bool may_run_;
};

/// 0 where it is absent or null, none where it is anything but a whole number.
std::optional<std::int64_t> whole_number(const JsonValue& p, std::string_view name) {
  const JsonValue* value = p.find(name);
  if (value == nullptr || value->is(JsonValue::Kind::null)) return 0;
  return value->is(JsonValue::Kind::number) ? value->integer() : std::nullopt;
}

Finding CliConfig::profile(std::string_view name, int depth) {
  const auto found = std::find_if(profiles_.begin(), profiles_.end(),
                                  [name](const JsonValue& p) { return p.string("name") == name; });
  if (found == profiles_.end()) return Broken{"has no profile \"" + clean(name, 60) + "\""};
  const JsonValue& p = *found;
  const std::string mode = to_lower(p.string("mode"));  // the CLI takes any case, so do we
  auto finding = [&]() -> Finding {
    if (mode == "ak") return key(p, false);
    if (mode == "ststoken") return key(p, true);
    if (mode == "ramrolearn") return ram_role(p, key(p, !p.string("sts_token").empty()));
    if (mode == "chainableramrolearn") return chained(p, depth);
    if (mode == "oidc") return oidc(p);
    if (mode == "external" && !may_run_) {
      return Broken{"its process_command is not run, since others can write to the file: chmod 600 it"};
    }
    if (mode == "external") return external_command(p.string("process_command"), sight_.world);
    CredentialSpec inner = options_;
    if (mode == "ecsramrole") {
      inner.source = CredentialKind::ecs_ram_role;
      inner.role_name = p.string("ram_role_name");
      return look_ecs_ram_role(inner, sight_);
    }
    if (mode == "credentialsuri") {
      inner.uri = p.string("credentials_uri");
      return look_credentials_uri(inner, sight_);
    }
    return Broken{
        "mode \"" + clean(p.string("mode"), 40) +
        "\" cannot be used by a daemon; use AK, StsToken, RamRoleArn, ChainableRamRoleArn, EcsRamRole, "
        "OIDC, CredentialsURI or External"};
  }();
  const std::string where = "profile \"" + clean(name, 60) + "\": ";
  if (const auto* broken = std::get_if<Broken>(&finding)) return Broken{where + broken->why};
  if (const auto* absent = std::get_if<Absent>(&finding)) return Broken{where + absent->why};
  return finding;
}

Finding CliConfig::key(const JsonValue& p, bool with_token) const {
  if (with_token && trim(p.string("sts_token")).empty()) return Broken{"sts_token is empty"};
  KeyParts parts{p.string("access_key_id"), p.string("access_key_secret"),
                 with_token ? p.string("sts_token") : "", ""};
  parts.token_name = "sts_token";
  const std::string unread = with_token || p.string("sts_token").empty()
                                 ? ""
                                 : "sts_token is not read with mode AK: use StsToken for a temporary key";
  auto made = make_key(parts);
  if (!made) return Broken{std::move(made).error() + (unread.empty() ? "" : "; ") + unread};
  return with_warning(std::move(*made), unread);
}

Result<RoleRequest, std::string> CliConfig::role(const JsonValue& p) const {
  CredentialSpec inner = options_;
  inner.role_arn = p.string("ram_role_arn");
  inner.role_session_name = p.string("ram_session_name");
  inner.external_id = p.string("external_id");
  inner.policy = p.string("policy");
  const auto seconds = whole_number(p, "expired_seconds");
  if (!seconds || *seconds < 0 || *seconds > 43'200) {
    return Err(std::string{"expired_seconds is not a number of seconds from 900 to 43200"});
  }
  if (*seconds > 0) inner.duration = std::chrono::seconds{*seconds};
  SD_TRY(request, role_request(inner, sight_, "ram_role_arn"));
  const JsonValue* vpc = p.find("enable_vpc");
  SD_TRY(endpoint, sts_endpoint(sight_, p.string("sts_region"), vpc != nullptr && vpc->flag));
  request.endpoint = std::move(endpoint);
  return request;
}

Finding CliConfig::ram_role(const JsonValue& p, Finding base) {
  if (std::holds_alternative<Absent>(base) || std::holds_alternative<Broken>(base)) return base;
  auto request = role(p);
  if (!request) return Broken{std::move(request).error()};
  return assume_role(std::move(*request), std::move(base), sight_.world);
}

Finding CliConfig::chained(const JsonValue& p, int depth) {
  if (depth >= kMaxSourceProfiles) return Broken{"source_profile leads on more than 5 times, or in a circle"};
  if (p.string("source_profile").empty()) return Broken{"source_profile is empty"};
  return ram_role(p, profile(p.string("source_profile"), depth + 1));
}

Finding CliConfig::oidc(const JsonValue& p) {
  auto request = role(p);
  if (!request) return Broken{std::move(request).error()};
  request->oidc_provider_arn =
      sight_.given_or(p.string("oidc_provider_arn"), "ALIBABA_CLOUD_OIDC_PROVIDER_ARN");
  return assume_role_with_oidc(std::move(*request),
                               sight_.given_or(p.string("oidc_token_file"), "ALIBABA_CLOUD_OIDC_TOKEN_FILE"),
                               sight_.world);
}

}  // namespace

Finding look_cli_profile(const CredentialSpec& options, Sight& sight) {
  for (const char* const variable : {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "ALIBABA_CLOUD_IGNORE_PROFILE"}) {
    if (sight.enabled(variable)) return Absent{std::string{"switched off by "} + variable};
  }
  std::string path = options.file.empty() ? sight.variable("ALIBABA_CLOUD_CONFIG_FILE") : options.file;
  if (path.empty()) {
    const auto in_home = sight.in_home(".aliyun/config.json");
    if (!in_home) return Absent{"neither ALIBABA_CLOUD_CONFIG_FILE nor HOME is set"};
    path = *in_home;
  }
  auto file = sight.read(path, kMaxConfig);
  if (!file) return finding_of(std::move(file).error());
  const std::string where = clean(path, 300) + ": ";
  const auto json = parse_json(file->text.reveal());
  if (!json || !json->root().is(JsonValue::Kind::object)) {
    const std::string why = json ? "" : " (" + json.error().what + ")";
    return Broken{where + "not a JSON object" + why + ": run `aliyun configure` again"};
  }
  std::string name = options.profile.empty() ? sight.variable("ALIBABA_CLOUD_PROFILE") : options.profile;
  if (name.empty()) name = json->root().string("current");
  if (name.empty()) return Broken{where + "no profile is current, and ALIBABA_CLOUD_PROFILE is not set"};
  Finding finding = CliConfig(options, sight, json->root(), file->trusted).profile(name, 0);
  if (auto* broken = std::get_if<Broken>(&finding)) broken->why = where + broken->why;
  return from_file(std::move(finding), *file);
}

}  // namespace sharedrift
