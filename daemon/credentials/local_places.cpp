#include "core/text.hpp"
#include "credentials/finding.hpp"
#include "credentials/key_text.hpp"

#include <algorithm>

namespace sharedrift {

namespace {
constexpr std::size_t kMaxKeyFile = 32U << 10U;
}

std::string Sight::variable(const char* name) const {
  std::optional<std::string> value = world.environment(name);
  if (!value) return {};
  std::string trimmed{trim(*value)};
  wipe(*value);
  return trimmed;
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

Finding from_file(Finding finding, const KeyFile& file) {
  if (auto* key = std::get_if<Credentials>(&finding)) {
    key->obtained = file.modified;
    key->warning = file.warning;
  }
  auto* remote = std::get_if<Remote>(&finding);
  if (remote != nullptr && !file.warning.empty()) {
    remote->obtain = [inner = std::move(remote->obtain), warning = file.warning](std::stop_token stop) {
      Result<Credentials, Failure> got = inner(std::move(stop));
      if (got) got->warning = got->warning.empty() ? warning : warning + "; " + got->warning;
      return got;
    };
  }
  return finding;
}

Finding look_environment(const CredentialSpec& /*options*/, Sight& sight) {
  std::string id = sight.variable("ALIBABA_CLOUD_ACCESS_KEY_ID");
  std::string secret = sight.variable("ALIBABA_CLOUD_ACCESS_KEY_SECRET");
  std::string token = sight.variable("ALIBABA_CLOUD_SECURITY_TOKEN");
  auto finding = [&]() -> Finding {
    if (id.empty() && secret.empty()) return Absent{"ALIBABA_CLOUD_ACCESS_KEY_ID is not set"};
    if (id.empty())
      return Broken{"ALIBABA_CLOUD_ACCESS_KEY_SECRET is set, ALIBABA_CLOUD_ACCESS_KEY_ID is not"};
    if (secret.empty()) {
      return Broken{"ALIBABA_CLOUD_ACCESS_KEY_ID is set, ALIBABA_CLOUD_ACCESS_KEY_SECRET is not"};
    }
    auto key = make_key({id, secret, token, "", "ALIBABA_CLOUD_ACCESS_KEY_ID",
                         "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"});
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
    const std::string directory = sight.variable("CREDENTIALS_DIRECTORY");
    if (directory.empty()) {
      return Absent{
          "neither credentials.file nor CREDENTIALS_DIRECTORY is set: give a path, or "
          "LoadCredential=aliyun:PATH in "
          "the unit"};
    }
    path = directory + "/aliyun";
  }
  auto file = sight.read(path, kMaxKeyFile);
  if (!file) return finding_of(std::move(file).error());
  auto key = parse_key_text(file->text.reveal());
  if (!key) return Broken{clean(path, 300) + ": " + std::move(key).error()};
  return from_file(std::move(*key), *file);
}

}  // namespace sharedrift
