#pragma once

#include "config/config.hpp"
#include "config/yaml_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace sharedrift {

/// A key of a section. Of one whose value is a plain member the row says all: the loader, the writer and the
/// tests go by it. A string is an absolute path. Of the other keys only the name stands here.
template <class Section>
struct Key {
  std::string_view name;
  std::variant<std::monostate, Millis Section::*, int Section::*, double Section::*, bool Section::*,
               std::string Section::*>
      member{};
  std::int64_t least = 0;  ///< of a duration: milliseconds
  std::int64_t most = 0;
};
template <class Section, std::size_t N>
constexpr std::array<std::string_view, N> names_of(const std::array<Key<Section>, N>& keys) {
  std::array<std::string_view, N> names{};
  std::transform(keys.begin(), keys.end(), names.begin(), [](const auto& key) { return key.name; });
  return names;
}

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

/// Every key that the config file knows and every limit it sets: the loader reads by these tables, the editor
/// schema is tested against them.
inline constexpr auto kRootKeys = std::to_array<std::string_view>(
    {"profiles", "poll", "accounts", "groups", "inventory", "discover", "ignore", "defaults", "images"});
inline constexpr auto kProfileMembers = std::to_array<Key<ProfileConfig>>({
    {"endpoint"},
    {"owner_account"},
    {"credentials"},
    {"sts_endpoint"},
    {"allow_any_endpoint", &ProfileConfig::allow_any_endpoint},
    {"ca_file", &ProfileConfig::ca_file},
    {"proxy_url"},
    {"proxy_from_environment", &ProfileConfig::proxy_from_environment},
    {"timeout", &ProfileConfig::timeout, kShortestTimeout.count(), kLongestTimeout.count()},
    {"requests_per_second", &ProfileConfig::requests_per_second, 0, 10'000},
    {"concurrency", &ProfileConfig::concurrency, 1, 256},
    {"max_attempts", &ProfileConfig::max_attempts, 1, 10},
});
inline constexpr auto kProfileKeys = names_of(kProfileMembers);
inline constexpr auto kCredentialKeys =
    std::to_array<std::string_view>({"source", "file", "profile", "role_name", "metadata_endpoint",
                                     "disable_imdsv1", "role_arn", "role_session_name", "oidc_provider_arn",
                                     "oidc_token_file", "external_id", "policy", "duration", "uri", "from"});
inline constexpr auto kPollMembers = std::to_array<Key<PollConfig>>({
    {"interval"},
    {"spread"},
    {"stale_after"},
    {"confirm_clears", &PollConfig::confirm_clears, 1, 10},
    {"mass_change_percent", &PollConfig::mass_change_percent, 1, 100},
    {"state_retention", &PollConfig::state_retention, kShortestRetention.count(), kLongestRetention.count()},
});
inline constexpr auto kPollKeys = names_of(kPollMembers);
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

inline constexpr std::string_view kInventoryOff = "off";
inline constexpr std::string_view kGroupPrefix = "group:";

/// Reads the keys of `fields` that are plain members.
template <class Section, std::size_t N>
void read_members(YamlReader& reader, const Fields& fields, const std::array<Key<Section>, N>& keys,
                  Section& out) {
  for (const Key<Section>& key : keys) {
    const auto read = [&](const Place& at, auto member) {
      if constexpr (std::is_same_v<decltype(member), Millis Section::*>) {
        reader.duration(at, Millis{key.least}, Millis{key.most}, out.*member);
      } else if constexpr (std::is_same_v<decltype(member), int Section::*>) {
        reader.integer(at, static_cast<int>(key.least), static_cast<int>(key.most), out.*member);
      } else if constexpr (std::is_same_v<decltype(member), double Section::*>) {
        reader.number(at, static_cast<double>(key.most), out.*member);
      } else if constexpr (std::is_same_v<decltype(member), bool Section::*>) {
        reader.boolean(at, out.*member);
      } else if constexpr (std::is_same_v<decltype(member), std::string Section::*>) {
        reader.file_path(at, out.*member);
      }
    };
    fields.with(key.name,
                [&](const Place& at) { std::visit([&](auto member) { read(at, member); }, key.member); });
  }
}

/// Names of profiles and groups: 1 to 64 of `A-Za-z0-9._-`.
bool is_config_name(std::string_view name);

}  // namespace sharedrift
