#include "app/config_references.hpp"

#include "app/make_profile_access.hpp"
#include "core/text.hpp"
#include "http_client/proxy_environment.hpp"
#include "os/trusted_path.hpp"
#include "web/web_config.hpp"
#include "wire/certificates.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {

namespace {

constexpr const char* kOwn = "chmod go-w, or chown it to root";

using ConfigTexts = std::vector<ConfigFile>;
/// Where it stands. To know that takes reading the files anew: asked only where there is something to tell.
using FindPlace = std::function<Diagnostic()>;

constexpr Millis kCertificateEndsSoon{30LL * 24 * 3'600'000};

Diagnostic told_at(const FindPlace& place, std::string message, std::string hint, bool warning) {
  Diagnostic told = place();
  told.message = std::move(message);
  told.hint = std::move(hint);
  told.warning = warning;
  return told;
}

/// What a certificate's term means now; none: all is well. The machine's clock may be what is wrong, so it is
/// never an error.
std::optional<std::string> doubt_of(CertificateTerm term, WallTime now) {
  if (now < term.begins)
    return "is not valid before " + format_rfc3339(term.begins) + "; is the clock right?";
  if (term.ends <= now) return "expired at " + format_rfc3339(term.ends);
  if (term.ends - now >= kCertificateEndsSoon) return std::nullopt;
  const auto days = std::chrono::duration_cast<std::chrono::days>(term.ends - now).count();
  return "expires at " + format_rfc3339(term.ends) + ", in " + std::to_string(days) +
         (days == 1 ? " day" : " days");
}

/// Of several authorities the one that ends last counts: an old one beside its successor is no fault.
CertificateTerm last_to_end(const std::vector<CertificateTerm>& terms) {
  return *std::max_element(terms.begin(), terms.end(),
                           [](const auto& a, const auto& b) { return a.ends < b.ends; });
}
/// Of a chain the one that ends first.
CertificateTerm first_to_end(const std::vector<CertificateTerm>& terms) {
  return *std::min_element(terms.begin(), terms.end(),
                           [](const auto& a, const auto& b) { return a.ends < b.ends; });
}

/// A file of authorities that a profile trusts.
void check_ca_file(const FindPlace& place, const std::string& path, WallTime now, LintReport& report) {
  constexpr const char* kRemedy = "certificates in PEM; without ca_file the system's authorities are trusted";
  const std::string name = in_quotes(path) + " ";
  const auto text = read_regular_file(path);
  const auto terms = text ? read_certificate_terms(*text) : Err(text.error().message);
  if (!terms) {
    report.errors.push_back(told_at(place, name + terms.error(), kRemedy, false));
    return;
  }
  if (const auto doubt = doubt_of(last_to_end(*terms), now))
    report.warnings.push_back(told_at(place, name + *doubt, "put the new certificates into it", true));
  if (const auto weakness = weakness_of_path(path)) {
    report.warnings.push_back(
        told_at(place, "others decide which servers are trusted: " + weakness->text(), kOwn, true));
  }
}

/// Proxies that the environment names for a profile that obeys it.
void check_proxies(const FindPlace& place, const ProfileConfig& profile, LintReport& report) {
  for (const std::string* const address : {&profile.endpoint, &profile.sts_endpoint}) {
    const auto url = parse_url(*address);
    if (!url) continue;
    const auto found = environment_proxy(*url, process_variable);
    if (found) continue;
    report.errors.push_back(
        told_at(place, found.error(), "correct the variable, or take proxy_from_environment out", false));
    return;
  }
}

bool names_a_place(const CredentialSpec& spec) {
  return !spec.file.empty() || !spec.oidc_token_file.empty() || !spec.uri.empty() ||
         std::any_of(spec.from.begin(), spec.from.end(), names_a_place);
}

}  // namespace

LintReport check_references(const Config& config, const ConfigTexts& files, WallTime now) {
  LintReport report;
  for (const ProfileConfig& profile : config.profiles) {
    const auto place = [&](std::string_view key) {
      return [&, key] {
        return place_of(files, std::array<std::string_view, 3>{"profiles", profile.name, key});
      };
    };
    if (!profile.ca_file.empty()) check_ca_file(place("ca_file"), profile.ca_file, now, report);
    if (profile.proxy_from_environment) check_proxies(place("proxy_from_environment"), profile, report);
  }
  return report;
}

CredentialReport check_credential_references(const Config& config, const ConfigTexts& files, Clock& clock,
                                             Random& random) {
  CredentialReport report;
  for (const ProfileConfig& profile : config.profiles) {
    const FindPlace place = [&] {
      return place_of(files,
                      std::array<std::string_view, 4>{"profiles", profile.name, "credentials", "file"});
    };
    auto& told = names_a_place(profile.credentials) ? report.named : report.around;
    for (const std::string& fault : local_credential_faults(profile, clock, random))
      told.push_back(told_at(place, fault, "", true));
    const std::string& file = profile.credentials.file;
    const auto weakness = file.empty() ? std::nullopt : weakness_of_path(file);
    if (weakness) {
      told.push_back(
          told_at(place, "others can put another key in its place: " + weakness->text(), kOwn, true));
    }
  }
  return report;
}

std::vector<Diagnostic> check_web_references(const std::string& file, WallTime now) {
  std::vector<Diagnostic> told;
  const auto text = read_regular_file(file);
  if (!text) return told;
  const auto config = parse_web_config(*text, file);
  if (!config || !config->tls) return told;
  const auto warn = [&](std::string_view key, const std::string& message, std::string hint) {
    const FindPlace place = [&] {
      return place_of({{file, *text}}, std::array<std::string_view, 2>{"tls_server_config", key});
    };
    told.push_back(told_at(place, message, std::move(hint), true));
  };
  const auto check_terms = [&](const std::string& key, const std::string& path, const std::string& inside,
                               auto which) {
    const auto pem = path.empty() ? decltype(read_regular_file(path))(inside) : read_regular_file(path);
    const auto terms = pem ? read_certificate_terms(*pem) : Err(std::string{});
    const auto doubt = terms ? doubt_of(which(*terms), now) : std::nullopt;
    if (!doubt) return;
    warn(path.empty() ? key : key + "_file", (path.empty() ? "it" : in_quotes(path)) + " " + *doubt,
         "put a new one into the file: it is read again");
  };
  check_terms("cert", config->tls->cert_file, config->tls->cert, first_to_end);
  check_terms("client_ca", config->tls->client_ca_file, config->tls->client_ca, last_to_end);
  for (const auto& [key, path] :
       {std::pair("cert_file", &config->tls->cert_file), std::pair("key_file", &config->tls->key_file),
        std::pair("client_ca_file", &config->tls->client_ca_file)}) {
    const auto weakness = path->empty() ? std::nullopt : weakness_of_path(*path);
    if (weakness) warn(key, "others can put another one in its place: " + weakness->text(), kOwn);
  }
  struct stat key {};
  constexpr unsigned kOthersRead = 0007U;
  const bool inside = config->tls->key_file.empty();
  const std::string& holder = inside ? file : config->tls->key_file;
  if (::stat(holder.c_str(), &key) == 0 && (key.st_mode & kOthersRead) != 0)
    warn(inside ? "key" : "key_file", in_quotes(holder) + " can be read by everybody", "chmod 600 it");
  return told;
}

std::vector<Diagnostic> check_state_folder(const std::string& database) {
  const std::string folder = std::filesystem::absolute(database).parent_path();
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return {};
  // In a cluster the volume's group is the process's own.
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  groups.resize(
      static_cast<std::size_t>(std::max(::getgroups(static_cast<int>(groups.size()), groups.data()), 0)));
  groups.push_back(::getegid());
  const bool has_own_group = std::find(groups.begin(), groups.end(), info.st_gid) != groups.end();
  const unsigned others = S_IWOTH | (has_own_group ? 0U : S_IWGRP);
  if ((info.st_mode & others) == 0) return {};
  return {{folder, 0, 0, "", "others can write here, and so put another state database in the place of ours",
           "chmod go-w " + folder, true}};
}

}  // namespace sharedrift
