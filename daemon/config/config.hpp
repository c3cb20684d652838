#pragma once

#include "core/discovery.hpp"
#include "core/ids.hpp"
#include "core/policy.hpp"
#include "core/poll_config.hpp"
#include "core/time.hpp"
#include "wire/credential_spec.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sharedrift {

struct ProfileConfig {
  std::string name;
  std::string endpoint = "https://ens.aliyuncs.com";
  std::optional<AccountId> owner_account;
  CredentialSpec credentials;
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

/// What the account owns is listed (DescribeSelfImages), once per profile and interval.
struct InventoryConfig {
  bool enabled = true;  ///< false: an image is looked up only where its list is empty
  Millis interval{300'000};

  friend bool operator==(const InventoryConfig&, const InventoryConfig&) = default;
};

/// A file of a configuration.
struct ConfigPart {
  std::string file;
  std::size_t images = 0;  ///< so many of `Config::images` stand in it
};

/// An accepted configuration: whole, checked, immutable for as long as it is in force. Holds no secret
/// but a password in a proxy_url.
struct Config {
  std::vector<ProfileConfig> profiles;  ///< at least one; names unique; sorted by name
  PollConfig poll;
  InventoryConfig inventory;
  std::map<AccountId, std::string> account_names;
  std::vector<std::shared_ptr<const ImagePolicy>>
      images;                          ///< in the order of the file; may be empty with a rule
  std::vector<DiscoverRule> discover;  ///< in order: the first that fits counts
  std::vector<IgnoredImage> ignored;   ///< ids unique, none of them in `images`
  std::vector<ConfigPart> files;       ///< in the order in which they were read
  std::string sha256;                  ///< hex, of the file's bytes; hash_of() of several files
};

}  // namespace sharedrift
