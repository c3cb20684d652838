#include "core/text.hpp"
#include "credentials/finding.hpp"
#include "credentials/key_text.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

/// The shared credentials file of the SDKs: sections of `name = value`, each with a `type`.
namespace sharedrift {

namespace {

constexpr std::size_t kMaxIni = 256U << 10U;

/// The values of one section, by their names in lower case; views into the file's text.
using Section = std::map<std::string, std::string_view, std::less<>>;

/// What begins at a `#` or `;` after a blank. Within a word they belong to it, as in a password.
std::string_view without_comment(std::string_view text) {
  for (std::size_t at = text.find_first_of("#;"); at < text.size(); at = text.find_first_of("#;", at + 1)) {
    if (at == 0 || text[at - 1] == ' ' || text[at - 1] == '\t') return trim(text.substr(0, at));
  }
  return trim(text);
}

/// A value without its comment and quotes. Within quotes nothing is a comment.
std::string_view value_of(std::string_view text) {
  text = trim(text);
  if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
    const std::size_t end = text.find(text.front(), 1);
    if (end != text.npos && without_comment(text.substr(end + 1)).empty()) return text.substr(1, end - 1);
  }
  return unquote(without_comment(text));
}

/// `[name]`, with or without a comment after it.
bool begins_section(std::string_view line, std::string_view wanted) {
  const std::size_t end = line.find(']');
  if (end == line.npos) return false;
  const std::string_view rest = trim(line.substr(end + 1));
  return (rest.empty() || rest.front() == '#' || rest.front() == ';') &&
         value_of(line.substr(1, end - 1)) == wanted;
}

std::optional<Section> find_section(std::string_view text, std::string_view wanted) {
  std::optional<Section> section;
  bool inside = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      inside = begins_section(line, wanted);
      if (inside && !section) section.emplace();
      continue;
    }
    const std::size_t sign = line.find_first_of("=:");
    if (!inside || sign == std::string_view::npos) continue;
    (*section)[to_lower(trim(line.substr(0, sign)))] = value_of(line.substr(sign + 1));
  }
  return section;
}

std::string_view get(const Section& section, std::string_view key) {
  const auto found = section.find(key);
  return found == section.end() ? std::string_view{} : found->second;
}

/// The spellings that Alibaba's libraries take for on; everything else is off, as a slip must not switch a
/// key on.
bool is_on(std::string_view value) {
  constexpr std::array<std::string_view, 6> kOn{"true", "1", "t", "yes", "y", "on"};
  return std::find(kOn.begin(), kOn.end(), to_lower(value)) != kOn.end();
}

CredentialSpec role_fields(const Section& section, const CredentialSpec& options) {
  CredentialSpec inner = options;
  inner.role_arn = get(section, "role_arn");
  inner.role_session_name = get(section, "role_session_name");
  inner.policy = get(section, "policy");
  inner.external_id = get(section, "external_id");
  return inner;
}

Finding look_access_key(const Section& section, const CredentialSpec& /*options*/, Sight& /*sight*/) {
  auto key = make_key({get(section, "access_key_id"), get(section, "access_key_secret"), "", ""});
  if (!key) return Broken{std::move(key).error()};
  return std::move(*key);
}

Finding look_instance(const Section& section, const CredentialSpec& options, Sight& sight) {
  CredentialSpec inner = options;
  inner.source = CredentialKind::ecs_ram_role;
  inner.role_name = get(section, "role_name");
  return look_ecs_ram_role(inner, sight);
}

Finding look_role(const Section& section, const CredentialSpec& options, Sight& sight) {
  Finding key = look_access_key(section, options, sight);
  if (std::holds_alternative<Broken>(key)) return key;
  auto role = role_request(role_fields(section, options), sight, "role_arn");
  if (!role) return Broken{std::move(role).error()};
  return assume_role(std::move(*role), std::move(key), sight.world);
}

Finding look_oidc(const Section& section, const CredentialSpec& options, Sight& sight) {
  CredentialSpec inner = role_fields(section, options);
  inner.oidc_provider_arn = get(section, "oidc_provider_arn");
  inner.oidc_token_file = get(section, "oidc_token_file_path");
  Finding finding = look_oidc_role(inner, sight);
  if (auto* absent = std::get_if<Absent>(&finding)) return Broken{std::move(absent->why)};
  return finding;
}

struct IniType {
  std::string_view name;
  std::string_view reads;  ///< each with a blank behind it
  Finding (*look)(const Section& section, const CredentialSpec& options, Sight& sight);
};
constexpr std::array kTypes{
    IniType{"access_key", "access_key_id access_key_secret ", look_access_key},
    IniType{"ecs_ram_role", "role_name ", look_instance},
    IniType{"ram_role_arn", "access_key_id access_key_secret role_arn role_session_name policy external_id ",
            look_role},
    IniType{"oidc_role_arn", "role_arn role_session_name policy oidc_provider_arn oidc_token_file_path ",
            look_oidc},
};

/// What stands in the section and is not read, as Alibaba's libraries do not read it.
std::string unread_names(const Section& section, std::string_view reads) {
  const std::string known = " " + std::string{reads} + "enable type region_id region ";
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  std::string names;
  for (const auto& [name, value] : section) {
    if (value.empty() || known.find(" " + name + " ") != known.npos) continue;
    // What has other characters may be a key that was pasted in the wrong place.
    const bool shown = std::all_of(name.begin(), name.end(), plain);
    names += (names.empty() ? "" : ", ") + (shown ? clean(name, 40) : std::string{"an odd name"});
  }
  return names;
}

Finding look_section(const Section& section, const CredentialSpec& options, Sight& sight) {
  const auto enable = section.find("enable");
  if (enable != section.end() && !is_on(enable->second))
    return Absent{"switched off by enable = " + clean(enable->second, 20)};
  const std::string_view name = get(section, "type");
  const auto* const type =
      std::find_if(kTypes.begin(), kTypes.end(), [name](const IniType& t) { return t.name == name; });
  if (type == kTypes.end()) {
    return Broken{"type is \"" + clean(name, 40) +
                  "\"; use access_key, ecs_ram_role, ram_role_arn or oidc_role_arn"};
  }
  Finding finding = type->look(section, options, sight);
  const std::string unread = unread_names(section, type->reads);
  if (unread.empty()) return finding;
  const std::string note =
      unread + (unread.find(',') == unread.npos ? " is" : " are") +
      " not read with type = " + std::string{name} +
      (unread.find("token") == unread.npos ? "" : "; use another source, such as static_file");
  if (auto* broken = std::get_if<Broken>(&finding)) broken->why += "; " + note;
  return with_warning(std::move(finding), note);
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
