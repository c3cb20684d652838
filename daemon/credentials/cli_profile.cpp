#include "core/text.hpp"
#include "credentials/finding.hpp"
#include "credentials/key_text.hpp"
#include "credentials/wiped_json.hpp"

#include <algorithm>
#include <functional>

/// The configuration file of the aliyun command line tool: `{"current": NAME, "profiles": [{"name", "mode",
/// ...}]}`. What a profile means hangs on its mode.
namespace sharedrift {

namespace {

constexpr std::size_t kMaxConfig = 1U << 20U;
constexpr int kMaxSourceProfiles = 5;

class CliConfig {
 public:
  /// `may_run`: nobody else can write to the file, so its commands may be run.
  CliConfig(const CredentialOptions& options, Sight& sight, const std::vector<WipedJson>& profiles,
            bool may_run)
      : options_(options), sight_(sight), profiles_(profiles), may_run_(may_run) {}

  Finding profile(std::string_view name, int depth);

 private:
  [[nodiscard]] Finding key(const WipedJson& p, bool with_token) const;
  Finding ram_role(const WipedJson& p, Finding base);
  Finding chained(const WipedJson& p, int depth);
  Finding oidc(const WipedJson& p);
  [[nodiscard]] Result<RoleRequest, std::string> role(const WipedJson& p) const;

  const CredentialOptions& options_;
  Sight& sight_;
  const std::vector<WipedJson>& profiles_;
  bool may_run_;
};

Finding CliConfig::profile(std::string_view name, int depth) {
  const auto found = std::find_if(profiles_.begin(), profiles_.end(),
                                  [name](const WipedJson& p) { return p.text("name") == name; });
  if (found == profiles_.end()) return Broken{"has no profile \"" + clean(name, 60) + "\""};
  const WipedJson& p = *found;
  const std::string mode = to_lower(p.text("mode"));  // the CLI takes any case, so do we
  auto finding = [&]() -> Finding {
    if (mode == "ak") return key(p, false);
    if (mode == "ststoken") return key(p, true);
    if (mode == "ramrolearn") return ram_role(p, key(p, !p.text("sts_token").empty()));
    if (mode == "chainableramrolearn") return chained(p, depth);
    if (mode == "oidc") return oidc(p);
    if (mode == "external" && !may_run_) {
      return Broken{"its process_command is not run, since others can write to the file: chmod 600 it"};
    }
    if (mode == "external") return external_command(p.text("process_command"), sight_.world);
    CredentialOptions inner = options_;
    if (mode == "ecsramrole") {
      inner.place = CredentialPlace::ecs_ram_role;
      inner.role_name = p.text("ram_role_name");
      return look_ecs_ram_role(inner, sight_);
    }
    if (mode == "credentialsuri") {
      inner.uri = p.text("credentials_uri");
      return look_credentials_uri(inner, sight_);
    }
    return Broken{
        "mode \"" + clean(p.text("mode"), 40) +
        "\" cannot be used by a daemon; use AK, StsToken, RamRoleArn, ChainableRamRoleArn, EcsRamRole, "
        "OIDC, CredentialsURI or External"};
  }();
  const std::string where = "profile \"" + clean(name, 60) + "\": ";
  if (const auto* broken = std::get_if<Broken>(&finding)) return Broken{where + broken->why};
  if (const auto* absent = std::get_if<Absent>(&finding)) return Broken{where + absent->why};
  return finding;
}

Finding CliConfig::key(const WipedJson& p, bool with_token) const {
  if (with_token && trim(p.text("sts_token")).empty()) return Broken{"sts_token is empty"};
  KeyParts parts{p.text("access_key_id"), p.text("access_key_secret"), with_token ? p.text("sts_token") : "",
                 ""};
  parts.token_name = "sts_token";
  auto made = make_key(parts);
  if (!made) return Broken{std::move(made).error()};
  return std::move(*made);
}

Result<RoleRequest, std::string> CliConfig::role(const WipedJson& p) const {
  CredentialOptions inner = options_;
  inner.role_arn = p.text("ram_role_arn");
  if (inner.role_arn.empty()) return Err(std::string{"ram_role_arn is empty"});
  inner.role_session_name = p.text("ram_session_name");
  inner.external_id = p.text("external_id");
  inner.policy = p.text("policy");
  const std::optional<long long> seconds = p.number("expired_seconds");
  if (!seconds || *seconds < 0 || *seconds > 43'200) {
    return Err(std::string{"expired_seconds is not a number of seconds from 900 to 43200"});
  }
  if (*seconds > 0) inner.duration = std::chrono::seconds{*seconds};
  SD_TRY(request, role_request(inner, sight_));
  SD_TRY(endpoint, sts_endpoint(options_, sight_, p.text("sts_region"), p.flag("enable_vpc")));
  request.endpoint = std::move(endpoint);
  return request;
}

Finding CliConfig::ram_role(const WipedJson& p, Finding base) {
  Obtain get_key;
  if (auto* at_hand = std::get_if<Credentials>(&base)) {
    get_key = [key = std::move(*at_hand)](const std::stop_token& /*stop*/) -> Result<Credentials, Failure> {
      return key;
    };
  } else if (auto* remote = std::get_if<Remote>(&base)) {
    get_key = std::move(remote->obtain);
  } else {
    return base;
  }
  auto request = role(p);
  if (!request) return Broken{std::move(request).error()};
  return assume_role(std::move(*request), std::move(get_key), sight_.world);
}

Finding CliConfig::chained(const WipedJson& p, int depth) {
  if (depth >= kMaxSourceProfiles) return Broken{"source_profile leads on more than 5 times, or in a circle"};
  if (p.text("source_profile").empty()) return Broken{"source_profile is empty"};
  return ram_role(p, profile(p.text("source_profile"), depth + 1));
}

Finding CliConfig::oidc(const WipedJson& p) {
  auto request = role(p);
  if (!request) return Broken{std::move(request).error()};
  request->oidc_provider_arn = p.text("oidc_provider_arn");
  return assume_role_with_oidc(std::move(*request), std::string{p.text("oidc_token_file")}, sight_.world);
}

}  // namespace

Finding look_cli_profile(const CredentialOptions& options, Sight& sight) {
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
  std::string_view text = file->text.reveal();
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  const WipedJson json = WipedJson::parse(text);
  if (!json.is_object()) return Broken{where + "not a JSON object: run `aliyun configure` again"};
  const std::vector<WipedJson> profiles = json.objects("profiles");

  std::string name = options.profile.empty() ? sight.variable("ALIBABA_CLOUD_PROFILE") : options.profile;
  if (name.empty()) name = json.text("current");
  if (name.empty()) return Broken{where + "no profile is current, and ALIBABA_CLOUD_PROFILE is not set"};
  Finding finding = CliConfig(options, sight, profiles, file->trusted).profile(name, 0);
  if (auto* broken = std::get_if<Broken>(&finding)) broken->why = where + broken->why;
  return from_file(std::move(finding), *file);
}

}  // namespace sharedrift
