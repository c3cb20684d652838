#include "core/text.hpp"
#include "credentials/finding.hpp"
#include "credentials/key_text.hpp"

#include <algorithm>
#include <functional>
#include <map>

/// The shared credentials file of the SDKs: sections of `name = value`, each with a `type`.
namespace sharedrift {

namespace {

constexpr std::size_t kMaxIni = 256U << 10U;

/// The values of one section; views into the file's text.
using Section = std::map<std::string_view, std::string_view>;

std::optional<Section> find_section(std::string_view text, std::string_view wanted) {
  std::optional<Section> section;
  bool inside = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      inside = line.back() == ']' && trim(line.substr(1, line.size() - 2)) == wanted;
      if (inside && !section) section.emplace();
      continue;
    }
    const std::size_t sign = line.find_first_of("=:");
    if (!inside || sign == std::string_view::npos) continue;
    (*section)[trim(line.substr(0, sign))] = unquote(trim(line.substr(sign + 1)));
  }
  return section;
}

std::string_view get(const Section& section, std::string_view key) {
  const auto found = section.find(key);
  return found == section.end() ? std::string_view{} : found->second;
}

Result<Credentials, std::string> key_of(const Section& section) {
  return make_key({get(section, "access_key_id"), get(section, "access_key_secret"), "", ""});
}

Result<RoleRequest, std::string> role_of(const Section& section, const CredentialSpec& options,
                                         const Sight& sight) {
  CredentialSpec inner = options;
  inner.role_arn = get(section, "role_arn");
  if (inner.role_arn.empty()) return Err(std::string{"role_arn is empty"});
  inner.role_session_name = get(section, "role_session_name");
  inner.policy = get(section, "policy");
  inner.external_id = get(section, "external_id");
  return role_request(inner, sight);
}

Finding look_section(const Section& section, const CredentialSpec& options, Sight& sight) {
  const std::string_view type = get(section, "type");
  if (get(section, "enable") == "false") return Absent{"switched off by enable = false"};
  if (type == "access_key") {
    auto key = key_of(section);
    if (!key) return Broken{std::move(key).error()};
    return std::move(*key);
  }
  if (type == "ecs_ram_role") {
    CredentialSpec inner = options;
    inner.source = CredentialKind::ecs_ram_role;
    inner.role_name = get(section, "role_name");
    return look_ecs_ram_role(inner, sight);
  }
  if (type == "ram_role_arn") {
    auto key = key_of(section);
    if (!key) return Broken{std::move(key).error()};
    auto role = role_of(section, options, sight);
    if (!role) return Broken{std::move(role).error()};
    return assume_role(std::move(*role), std::move(*key), sight.world);
  }
  if (type == "oidc_role_arn") {
    auto role = role_of(section, options, sight);
    if (!role) return Broken{std::move(role).error()};
    role->oidc_provider_arn = get(section, "oidc_provider_arn");
    return assume_role_with_oidc(std::move(*role), std::string{get(section, "oidc_token_file_path")},
                                 sight.world);
  }
  return Broken{"type is \"" + clean(type, 40) +
                "\"; use access_key, ecs_ram_role, ram_role_arn or oidc_role_arn"};
}

/// The file that is meant: the given one, or of the two official names the first that is there.
Result<KeyFile, KeyFileProblem> read_ini(const CredentialSpec& options, Sight& sight) {
  std::string path = options.file.empty() ? sight.variable("ALIBABA_CLOUD_CREDENTIALS_FILE") : options.file;
  if (!path.empty()) return sight.read(path, kMaxIni);
  const auto first = sight.in_home(".alibabacloud/credentials");
  if (!first) {
    return Err(KeyFileProblem{true, "neither ALIBABA_CLOUD_CREDENTIALS_FILE nor HOME is set", {}});
  }
  auto file = sight.read(*first, kMaxIni);
  if (file || !file.error().missing) return file;
  auto other = sight.read(*first + ".ini", kMaxIni);  // the name the Java SDK looks for
  if (other || !other.error().missing) return other;
  return file;
}

}  // namespace

Finding look_profile_ini(const CredentialSpec& options, Sight& sight) {
  auto file = read_ini(options, sight);
  if (!file) return finding_of(std::move(file).error());
  std::string_view text = file->text.reveal();
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  std::string name = options.profile.empty() ? sight.variable("ALIBABA_CLOUD_PROFILE") : options.profile;
  if (name.empty()) name = "default";
  const std::string where = clean(file->stamp.path, 300) + ": section [" + clean(name, 60) + "]: ";
  const auto section = find_section(text, name);
  if (!section) return Broken{where + "there is none"};
  Finding finding = look_section(*section, options, sight);
  if (auto* broken = std::get_if<Broken>(&finding)) broken->why = where + broken->why;
  if (auto* absent = std::get_if<Absent>(&finding)) absent->why = where + absent->why;
  return from_file(std::move(finding), *file);
}

}  // namespace sharedrift
