#pragma once

#include "core/time.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sharedrift {

enum class CredentialKind {
  default_chain,  ///< the official order: environment, oidc_role, cli_profile, profile_ini, ecs_ram_role,
                  ///< credentials_uri; the first that works
  environment,
  static_file,
  cli_profile,
  profile_ini,
  ecs_ram_role,
  oidc_role,
  ram_role,
  credentials_uri,
};

/// Where a profile's credentials come from, as `credentials:` in the config says: paths and names, never
/// secrets. An empty string means "not given": the official environment variable or default of that source
/// applies.
struct CredentialSpec {
  CredentialKind source = CredentialKind::default_chain;
  std::string file;     ///< static_file ($CREDENTIALS_DIRECTORY/aliyun), cli_profile (~/.aliyun/config.json),
                        ///< profile_ini (~/.alibabacloud/credentials, then credentials.ini)
  std::string profile;  ///< cli_profile, profile_ini: name of the profile or section
  std::string role_name;             ///< ecs_ram_role; the instance is asked when empty
  std::string metadata_endpoint;     ///< ecs_ram_role: http://100.100.100.200
  bool disable_imdsv1 = false;       ///< ecs_ram_role
  std::string role_arn;              ///< oidc_role, ram_role
  std::string role_session_name;     ///< oidc_role, ram_role: share-drift-exporter
  std::string oidc_provider_arn;     ///< oidc_role
  std::string oidc_token_file;       ///< oidc_role
  std::string external_id;           ///< ram_role
  std::string policy;                ///< oidc_role, ram_role: inline session policy (JSON)
  std::optional<Millis> duration;    ///< oidc_role, ram_role: 15 minutes to 12 hours; 1 hour
  std::string uri;                   ///< credentials_uri
  std::vector<CredentialSpec> from;  ///< ram_role: whose key assumes the role; one, or none: default chain

  friend bool operator==(const CredentialSpec&, const CredentialSpec&) = default;
};

}  // namespace sharedrift
