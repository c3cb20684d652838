#include "core/text.hpp"
#include "credentials/finding.hpp"
#include "credentials/key_text.hpp"

#include <array>

namespace sharedrift {

namespace {
constexpr std::size_t kMaxKeyFile = 32U << 10U;

constexpr const char* kId = "ALIBABA_CLOUD_ACCESS_KEY_ID";
constexpr const char* kSecret = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
constexpr const char* kToken = "ALIBABA_CLOUD_SECURITY_TOKEN";

/// What Terraform, Packer, ossutil, older SDKs and people call the variables, beside other prefixes.
struct OtherName {
  std::string_view ours;
  std::string_view theirs;
};
constexpr std::array kOtherNames{
    OtherName{kId, "ALICLOUD_ACCESS_KEY"},
    OtherName{kId, "ALIBABA_CLOUD_ACCESS_KEY"},
    OtherName{kId, "ACCESS_KEY_ID"},
    OtherName{kId, "ALIYUN_ACCESS_KEY"},
    OtherName{kSecret, "ALICLOUD_SECRET_KEY"},
    OtherName{kSecret, "ALIBABA_CLOUD_SECRET_KEY"},
    OtherName{kSecret, "ACCESS_KEY_SECRET"},
    OtherName{kSecret, "ALIYUN_SECRET_KEY"},
    OtherName{kToken, "ALIBABA_CLOUD_STS_TOKEN"},
    OtherName{kToken, "ALIBABA_CLOUD_SESSION_TOKEN"},
    OtherName{kToken, "SECURITY_TOKEN"},
    OtherName{kToken, "ALICLOUD_STS_TOKEN"},
    OtherName{kToken, "OSS_SESSION_TOKEN"},
    OtherName{"ALIBABA_CLOUD_ROLE_ARN", "ALICLOUD_ASSUME_ROLE_ARN"},
};
}  // namespace

std::string Sight::variable(const char* name) const {
  std::string value = world.environment(name);
  std::string trimmed{trim(value)};
  wipe(value);
  return trimmed;
}

std::string Sight::given_or(std::string_view given, const char* name) const {
  return given.empty() ? variable(name) : std::string{given};
}

bool Sight::enabled(const char* name) const {
  return to_lower(variable(name)) == "true";
}

std::optional<std::string> Sight::in_home(std::string_view below_home) const {
  const std::string home = variable("HOME");
  if (home.empty()) return std::nullopt;
  return home + "/" + std::string{below_home};
}

Result<KeyFile, KeyFileProblem> Sight::read(const std::string& path, std::size_t max_bytes) {
  auto file = read_key_file(path, max_bytes);
  watched.push_back(file ? file->stamp : file.error().stamp);
  return file;
}

Finding finding_of(KeyFileProblem problem) {
  if (problem.missing) return Absent{std::move(problem.what)};
  return Broken{std::move(problem.what)};
}

Finding with_warning(Finding finding, const std::string& warning) {
  const auto add = [warning](Credentials& key) {
    key.warning += (key.warning.empty() ? "" : "; ") + warning;
  };
  if (warning.empty()) return finding;
  if (auto* key = std::get_if<Credentials>(&finding)) add(*key);
  if (auto* remote = std::get_if<Remote>(&finding)) {
    remote->obtain = [inner = std::move(remote->obtain), add](std::stop_token stop) {
      Result<Credentials, Failure> got = inner(std::move(stop));
      if (got) add(*got);
      return got;
    };
    remote->preflight = [inner = std::move(remote->preflight), warning] {
      const std::string more = inner ? inner() : "";
      return more.empty() ? warning : more + "; " + warning;
    };
  }
  return finding;
}

Finding from_file(Finding finding, const KeyFile& file) {
  if (auto* key = std::get_if<Credentials>(&finding)) key->obtained = file.modified;
  return with_warning(std::move(finding), file.warning);
}

std::string not_set(const Sight& sight, const std::string& name) {
  constexpr std::string_view kOurs = "ALIBABA_CLOUD_";
  std::vector<std::string> others;
  for (const char* const prefix : {"ALIBABACLOUD_", "ALICLOUD_", "ALIYUN_", "OSS_", "ALIBABA_"})
    others.push_back(prefix + name.substr(kOurs.size()));
  for (const OtherName& other : kOtherNames) {
    if (other.ours == name) others.emplace_back(other.theirs);
  }
  std::string found;
  for (const std::string& other : others) {
    if (!sight.variable(other.c_str()).empty()) found += (found.empty() ? "" : ", ") + other;
  }
  const std::string text = name + " is not set";
  return found.empty() ? text
                       : text + " (" + found + " is, which other tools read: set it under the name here)";
}

Finding look_environment(const CredentialSpec& /*options*/, Sight& sight) {
  std::string id = sight.variable(kId);
  std::string secret = sight.variable(kSecret);
  std::string token = sight.variable(kToken);
  auto finding = [&]() -> Finding {
    if (id.empty() && secret.empty()) {
      const std::string why = not_set(sight, kSecret);
      return Absent{not_set(sight, kId) + (why.ends_with(')') ? ", " + why : "")};
    }
    if (id.empty()) return Broken{std::string{kSecret} + " is set, " + not_set(sight, kId)};
    if (secret.empty()) return Broken{std::string{kId} + " is set, " + not_set(sight, kSecret)};
    if (id.starts_with("STS.") && token.empty()) {
      return Broken{std::string{kId} + " begins with STS., so the key is temporary, and " +
                    not_set(sight, kToken)};
    }
    auto key = make_key({id, secret, token, "", kId, kSecret, kToken});
    if (!key) return Broken{std::move(key).error()};
    return std::move(*key);
  }();
  wipe(secret);
  wipe(token);
  return finding;
}

Finding look_static_file(const CredentialSpec& options, Sight& sight) {
  std::string path = options.file;
  if (path.empty()) {
    // Where systemd finds what it hands to the unit: root runs the other commands without a unit.
    constexpr const char* kCredstore = "/etc/credstore";
    const std::string directory = sight.variable("CREDENTIALS_DIRECTORY");
    path = (directory.empty() ? std::string{kCredstore} : directory) + "/aliyun";
    if (directory.empty() && !sight.read(path, kMaxKeyFile)) {
      return Absent{
          "neither credentials.file nor CREDENTIALS_DIRECTORY is set, and " + path +
          " cannot be read: run this as root, give a path, or LoadCredential=aliyun:PATH in the unit"};
    }
  }
  auto file = sight.read(path, kMaxKeyFile);
  if (!file) return finding_of(std::move(file).error());
  auto key = parse_key_text(file->text.reveal());
  if (!key) return Broken{clean(path, 300) + ": " + std::move(key).error()};
  return from_file(std::move(*key), *file);
}

}  // namespace sharedrift
