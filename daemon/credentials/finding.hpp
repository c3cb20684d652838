#pragma once

#include "credentials/key_file.hpp"
#include "credentials/source.hpp"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sharedrift {

/// Not set up here: the next place in the chain is meant.
struct Absent {
  std::string why;
};
/// Set up, but not usable: worth a warning even where another place helps out.
struct Broken {
  std::string why;
};
/// Gets credentials over the network or from a command. Blocks; stops early when asked to. Files are read
/// again at each call. Failures have Reason::credentials.
using Obtain = std::function<Result<Credentials, Failure>(std::stop_token)>;
/// The way to credentials that only a call can get.
struct Remote {
  Obtain obtain;
  bool guessed =
      false;  ///< tried although nothing says that it is there (metadata service): its failure is no news
  /// What is wrong with the files and programs that the call will need, in words; empty: nothing. May be
  /// null.
  std::function<std::string()> preflight{};
};

/// What one place holds right now, as far as this machine knows.
using Finding = std::variant<Absent, Broken, Credentials, Remote>;

/// What a look at a place needs, and what it leaves behind: every file it depends on, read or missing.
class Sight {
 public:
  explicit Sight(const CredentialWorld& the_world) : world(the_world) {}

  /// A variable's value without blanks around it; empty where it is not set.
  [[nodiscard]] std::string variable(const char* name) const;
  /// `given`, or where it is empty the variable's value.
  [[nodiscard]] std::string given_or(std::string_view given, const char* name) const;
  /// "true" in any case.
  [[nodiscard]] bool enabled(const char* name) const;
  /// `$HOME/below_home`; none when HOME is not set.
  [[nodiscard]] std::optional<std::string> in_home(std::string_view below_home) const;
  Result<KeyFile, KeyFileProblem> read(const std::string& path, std::size_t max_bytes);

  const CredentialWorld& world;
  std::vector<FileStamp> watched;
};

inline Failure credential_failure(std::string detail) {
  return make_failure(Reason::credentials, std::move(detail));
}

/// "Missing" is absent, all else broken.
Finding finding_of(KeyFileProblem problem);
/// What was found, with something that a person should know of it although it works. Empty: nothing.
Finding with_warning(Finding finding, const std::string& warning);
/// What was found in `file` with the file's age and warning.
Finding from_file(Finding finding, const KeyFile& file);

// One function for each place. None touches the network.
Finding look_environment(const CredentialSpec& options, Sight& sight);
Finding look_static_file(const CredentialSpec& options, Sight& sight);
Finding look_cli_profile(const CredentialSpec& options, Sight& sight);
Finding look_profile_ini(const CredentialSpec& options, Sight& sight);
Finding look_ecs_ram_role(const CredentialSpec& options, Sight& sight);
Finding look_oidc_role(const CredentialSpec& options, Sight& sight);
Finding look_credentials_uri(const CredentialSpec& options, Sight& sight);

/// "NAME is not set", and which variables are set that other tools read in its place.
std::string not_set(const Sight& sight, const std::string& name);

/// Where STS is asked: what the user set, else the region's (in the VPC or not), else the central one.
/// A region that is no name is an error.
Result<std::string, std::string> sts_endpoint(const Sight& sight, std::string_view region, bool vpc);

/// AssumeRole with the key in `base`, or the way to it; where there is neither, `base` as it is.
Finding assume_role(RoleRequest role, Finding base, const CredentialWorld& world);
/// The same with the OIDC token in a file, which is read at each call.
Finding assume_role_with_oidc(RoleRequest role, std::string token_file, const CredentialWorld& world);
/// Role fields as `options` and variables give them; endpoint, ARN, session name, policy, duration.
/// `arn_name`: what the ARN is called where it is missing.
Result<RoleRequest, std::string> role_request(const CredentialSpec& options, const Sight& sight,
                                              std::string_view arn_name = "credentials.role_arn");
/// A program that prints credentials as JSON.
Finding external_command(std::string_view command, const CredentialWorld& world);
/// Splits a command line as a POSIX shell would without expanding anything: blanks, quotes, backslashes.
Result<std::vector<std::string>, std::string> split_command(std::string_view command);

}  // namespace sharedrift
