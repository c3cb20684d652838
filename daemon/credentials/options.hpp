#pragma once

#include "core/time.hpp"

#include <memory>
#include <optional>
#include <string>

namespace sharedrift {

enum class CredentialPlace {
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

/// Where a profile's credentials come from: paths and names, never secrets. An empty string means "not
/// given": the official environment variable or default of that place applies.
struct CredentialOptions {
  CredentialPlace place = CredentialPlace::default_chain;
  std::string file;     ///< static_file ($CREDENTIALS_DIRECTORY/aliyun), cli_profile (~/.aliyun/config.json),
                        ///< profile_ini (~/.alibabacloud/credentials, then credentials.ini)
  std::string profile;  ///< cli_profile, profile_ini: name of the profile or section
  std::string role_name;           ///< ecs_ram_role; the instance is asked when empty
  std::string metadata_endpoint;   ///< ecs_ram_role: http://100.100.100.200
  bool disable_imdsv1 = false;     ///< ecs_ram_role
  std::string role_arn;            ///< oidc_role, ram_role
  std::string role_session_name;   ///< oidc_role, ram_role: share-drift-exporter
  std::string oidc_provider_arn;   ///< oidc_role
  std::string oidc_token_file;     ///< oidc_role
  std::string external_id;         ///< ram_role
  std::string policy;              ///< oidc_role, ram_role: inline session policy (JSON)
  std::optional<Millis> duration;  ///< oidc_role, ram_role: 15 minutes to 12 hours; 1 hour
  std::string uri;                 ///< credentials_uri
  std::string
      sts_endpoint;  ///< set it only where the user gave one: it wins over regions in variables and files
  std::shared_ptr<const CredentialOptions>
      base;  ///< ram_role: whose key assumes the role; none: default chain
};

}  // namespace sharedrift
