#pragma once

#include "config/config.hpp"
#include "config/config_lint.hpp"
#include "ports.hpp"

#include <string>
#include <vector>

namespace sharedrift {

// What a configuration names outside itself is looked at on this machine, without the network.

/// Files of authorities and proxies of the environment. An error: a profile cannot reach the API at all. A
/// warning: it works now, but not for long, or others can change it. `files` are what `config` was read from.
LintReport check_references(const Config& config, const std::vector<ConfigFile>& files, WallTime now);

/// Where the credentials come from: warnings, since the daemon waits for them.
struct CredentialReport {
  std::vector<Diagnostic> named;   ///< the configuration itself names the file or address
  std::vector<Diagnostic> around;  ///< it leaves that to the environment, which may be another one here
};
CredentialReport check_credential_references(const Config& config, const std::vector<ConfigFile>& files,
                                             Clock& clock, Random& random);

/// Certificates of a web configuration that end soon or have ended, and keys that others can read: warnings.
/// Nothing about what cannot be read: WebSecurity::open() refuses that.
std::vector<Diagnostic> check_web_references(const std::string& file, WallTime now);

/// The folder of a state database, if others can write there: a warning.
std::vector<Diagnostic> check_state_folder(const std::string& database);

}  // namespace sharedrift
