#pragma once

#include "config/config.hpp"
#include "config/yaml_reader.hpp"

#include <array>
#include <span>
#include <string_view>

/// Every key that the config file knows and every limit it sets: the loader reads by these tables, the editor
/// schema is tested against them.
namespace sharedrift {

inline constexpr auto kRootKeys = std::to_array<std::string_view>(
    {"profiles", "poll", "accounts", "groups", "inventory", "discover", "ignore", "defaults", "images"});
inline constexpr auto kProfileKeys = std::to_array<std::string_view>(
    {"endpoint", "owner_account", "credentials", "sts_endpoint", "allow_any_endpoint", "ca_file", "proxy_url",
     "proxy_from_environment", "timeout", "requests_per_second", "concurrency", "max_attempts"});
inline constexpr auto kCredentialKeys =
    std::to_array<std::string_view>({"source", "file", "profile", "role_name", "metadata_endpoint",
                                     "disable_imdsv1", "role_arn", "role_session_name", "oidc_provider_arn",
                                     "oidc_token_file", "external_id", "policy", "duration", "uri", "from"});
inline constexpr auto kPollKeys = std::to_array<std::string_view>(
    {"interval", "spread", "stale_after", "confirm_clears", "mass_change_percent", "state_retention"});
inline constexpr auto kInventoryKeys = std::to_array<std::string_view>({"interval"});
inline constexpr auto kRuleKeys = std::to_array<std::string_view>(
    {"name", "profile", "team", "severity", "interval", "required", "allowed", "exceptions"});
inline constexpr auto kIgnoredKeys = std::to_array<std::string_view>({"id", "owner", "reason"});
inline constexpr auto kDefaultsKeys = std::to_array<std::string_view>({"team", "severity", "interval"});
inline constexpr auto kAccountKeys = std::to_array<std::string_view>({"name"});
inline constexpr auto kImageKeys = std::to_array<std::string_view>(
    {"id", "name", "team", "severity", "profile", "interval", "required", "allowed", "exceptions", "canary"});
inline constexpr auto kExceptionKeys =
    std::to_array<std::string_view>({"account", "expires", "owner", "ticket", "reason"});

struct KeyTable {
  std::string_view section;
  std::span<const std::string_view> keys;
};
inline constexpr std::array<KeyTable, 11> kKeyTables{KeyTable{"config", kRootKeys},
                                                     KeyTable{"profile", kProfileKeys},
                                                     KeyTable{"credentials", kCredentialKeys},
                                                     KeyTable{"poll", kPollKeys},
                                                     KeyTable{"inventory", kInventoryKeys},
                                                     KeyTable{"rule", kRuleKeys},
                                                     KeyTable{"ignored", kIgnoredKeys},
                                                     KeyTable{"defaults", kDefaultsKeys},
                                                     KeyTable{"account", kAccountKeys},
                                                     KeyTable{"image", kImageKeys},
                                                     KeyTable{"exception", kExceptionKeys}};

inline constexpr std::array<Choice<CredentialKind>, 9> kCredentialSources{{
    {"default", CredentialKind::default_chain},
    {"environment", CredentialKind::environment},
    {"static_file", CredentialKind::static_file},
    {"cli_profile", CredentialKind::cli_profile},
    {"profile_ini", CredentialKind::profile_ini},
    {"ecs_ram_role", CredentialKind::ecs_ram_role},
    {"oidc_role", CredentialKind::oidc_role},
    {"ram_role", CredentialKind::ram_role},
    {"credentials_uri", CredentialKind::credentials_uri},
}};
inline constexpr std::array<Choice<Spread>, 2> kSpreads{{{"even", Spread::even}, {"none", Spread::none}}};

inline constexpr Millis kSecond{1'000};
inline constexpr Millis kMinute = 60 * kSecond;
inline constexpr Millis kHour = 60 * kMinute;
inline constexpr Millis kDay = 24 * kHour;

inline constexpr Millis kShortestInterval = kSecond;
inline constexpr Millis kLongestInterval = 28 * kDay;
inline constexpr Millis kLongestStaleAfter = 365 * kDay;
inline constexpr Millis kShortestRetention = kHour;
inline constexpr Millis kLongestRetention = 50 * 365 * kDay;
inline constexpr Millis kShortestTimeout{100};
inline constexpr Millis kLongestTimeout = 5 * kMinute;
inline constexpr Millis kShortestSession = 15 * kMinute;
inline constexpr Millis kLongestSession = 12 * kHour;
inline constexpr double kMostRequestsPerSecond = 10'000;

inline constexpr std::string_view kInventoryOff = "off";
inline constexpr std::string_view kGroupPrefix = "group:";

/// Names of profiles and groups: 1 to 64 of `A-Za-z0-9._-`.
bool is_config_name(std::string_view name);

}  // namespace sharedrift
