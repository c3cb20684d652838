#pragma once

#include "core/ids.hpp"
#include "core/policy.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace sharedrift {

enum class CredentialKind {
  default_chain,
  environment,
  static_file,
  cli_profile,
  profile_ini,
  ecs_ram_role,
  oidc_role,
  ram_role,
  credentials_uri,
};

/// `credentials:` of a profile. Only the keys that belong to `source` may be given; paths and names, never
/// secrets. An empty string means "not given": the official default or environment variable of that source
/// applies.
struct CredentialConfig {
  CredentialKind source = CredentialKind::default_chain;
  std::string file;                ///< static_file, cli_profile, profile_ini: path
  std::string profile;             ///< cli_profile, profile_ini: name of the profile or section
  std::string role_name;           ///< ecs_ram_role
  std::string metadata_endpoint;   ///< ecs_ram_role: default http://100.100.100.200
  bool disable_imdsv1 = false;     ///< ecs_ram_role
  std::string role_arn;            ///< oidc_role, ram_role
  std::string role_session_name;   ///< oidc_role, ram_role
  std::string oidc_provider_arn;   ///< oidc_role
  std::string oidc_token_file;     ///< oidc_role
  std::string external_id;         ///< ram_role
  std::string policy;              ///< oidc_role, ram_role: inline session policy (JSON)
  std::optional<Millis> duration;  ///< oidc_role, ram_role: 15m to 12h
  std::string uri;                 ///< credentials_uri
  std::shared_ptr<const CredentialConfig>
      base;  ///< ram_role: whose key assumes the role (`from:`); none: default chain

  friend bool operator==(const CredentialConfig& a, const CredentialConfig& b) {
    const auto values = [](const CredentialConfig& c) {
      return std::tie(c.source, c.file, c.profile, c.role_name, c.metadata_endpoint, c.disable_imdsv1,
                      c.role_arn, c.role_session_name, c.oidc_provider_arn, c.oidc_token_file, c.external_id,
                      c.policy, c.duration, c.uri);
    };
    const bool same_base = a.base && b.base ? *a.base == *b.base : !a.base && !b.base;
    return same_base && values(a) == values(b);
  }
};

struct ProfileConfig {
  std::string name;
  std::string endpoint = "https://ens.aliyuncs.com";
  std::optional<AccountId> owner_account;
  CredentialConfig credentials;
  std::string sts_endpoint = "https://sts.aliyuncs.com";
  bool allow_any_endpoint = false;  ///< hosts other than the known ones were allowed (checked by the loader)
  std::string ca_file;
  std::string proxy_url;  ///< may hold a user and password: show it through masked_url() only
  bool proxy_from_environment = false;
  Millis timeout{10'000};
  double requests_per_second = 5;  ///< 0: no limit
  int concurrency = 8;             ///< 1 to 256
  int max_attempts = 4;            ///< 1 to 10

  friend bool operator==(const ProfileConfig&, const ProfileConfig&) = default;
};

enum class Spread { even, none };

struct PollConfig {
  Millis interval{300'000};
  Spread spread = Spread::even;
  Millis stale_after{900'000};
  int confirm_clears = 2;        ///< 1 to 10
  int mass_change_percent = 20;  ///< 1 to 100
  Millis state_retention{400LL * 24 * 3'600'000};

  friend bool operator==(const PollConfig&, const PollConfig&) = default;
};

/// An accepted configuration: whole, checked, immutable for as long as it is in force. Holds no secret
/// but a password in a proxy_url.
struct Config {
  std::vector<ProfileConfig> profiles;  ///< at least one; names unique; sorted by name
  PollConfig poll;
  std::map<AccountId, std::string> account_names;
  std::vector<std::shared_ptr<const ImagePolicy>> images;  ///< at least one, in the order of the file
  std::string sha256;                                      ///< hex, of the file's bytes
};

}  // namespace sharedrift
