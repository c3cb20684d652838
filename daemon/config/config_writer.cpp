#include "config/config_writer.hpp"

#include "config/config_keys.hpp"
#include "config/endpoint.hpp"
#include "config/yaml_emit.hpp"
#include "core/enumerators.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>
#include <variant>

namespace sharedrift {

namespace {

using emit::accounts;
using emit::duration;
using emit::plain;
using emit::text;

template <class T, std::size_t N>
std::string name_of(const std::array<Choice<T>, N>& choices, T value) {
  return std::string(std::find_if(choices.begin(), choices.end(), [value](const Choice<T>& c) {
                       return c.value == value;
                     })->name);
}

void write_credentials(YAML::Emitter& out, const char* key, const CredentialSpec& c) {
  out << YAML::Key << key << YAML::Value << YAML::BeginMap;
  plain(out, "source", name_of(kCredentialSources, c.source));
  text(out, "file", c.file);
  text(out, "profile", c.profile);
  text(out, "role_name", c.role_name);
  text(out, "metadata_endpoint", c.metadata_endpoint);
  if (c.source == CredentialKind::ecs_ram_role) plain(out, "disable_imdsv1", c.disable_imdsv1);
  text(out, "role_arn", c.role_arn);
  text(out, "role_session_name", c.role_session_name);
  text(out, "oidc_provider_arn", c.oidc_provider_arn);
  text(out, "oidc_token_file", c.oidc_token_file);
  if (!c.external_id.empty()) text(out, "external_id", "masked");  // whoever knows it may be let in
  text(out, "policy", c.policy);
  if (c.duration) duration(out, "duration", *c.duration);
  if (!c.uri.empty()) text(out, "uri", masked_url(c.uri));
  for (const CredentialSpec& base : c.from)
    write_credentials(out, "from", base);
  out << YAML::EndMap;
}

/// The shortest digits that give the same number again.
std::string decimal(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

/// Writes the keys of a section in their order: plain members by their rows, the others by
/// `write_other(key)`.
template <class Section, std::size_t N, class Other>
void write_keys(YAML::Emitter& out, const std::array<Key<Section>, N>& keys, const Section& section,
                Other write_other) {
  out << YAML::BeginMap;
  for (const Key<Section>& key : keys) {
    const auto write = [&](auto member) {
      if constexpr (std::is_same_v<decltype(member), std::monostate>) {
        write_other(key.name);
      } else if constexpr (std::is_same_v<decltype(member), std::string Section::*>) {
        text(out, key.name.data(), section.*member);
      } else if constexpr (std::is_same_v<decltype(member), Millis Section::*>) {
        duration(out, key.name.data(), section.*member);
      } else if constexpr (std::is_same_v<decltype(member), double Section::*>) {
        plain(out, key.name.data(), decimal(section.*member));
      } else {
        plain(out, key.name.data(), section.*member);
      }
    };
    std::visit(write, key.member);
  }
  out << YAML::EndMap;
}

void write_profile(YAML::Emitter& out, const ProfileConfig& p) {
  write_keys(out, kProfileMembers, p, [&](std::string_view key) {
    if (key == "endpoint") text(out, "endpoint", p.endpoint);
    if (key == "owner_account" && p.owner_account) text(out, "owner_account", p.owner_account->str());
    if (key == "credentials") write_credentials(out, "credentials", p.credentials);
    if (key == "sts_endpoint") text(out, "sts_endpoint", p.sts_endpoint);
    if (key == "proxy_url" && !p.proxy_url.empty()) text(out, "proxy_url", masked_url(p.proxy_url));
  });
}

void write_poll(YAML::Emitter& out, const PollConfig& poll) {
  write_keys(out, kPollMembers, poll, [&](std::string_view key) {
    if (key == "interval") duration(out, "interval", poll.interval);
    if (key == "spread") plain(out, "spread", std::string(enumerator_name<Spread::none>(poll.spread)));
    if (key == "stale_after" && poll.stale_after) duration(out, "stale_after", *poll.stale_after);
  });
}

/// What an image and a rule have in common.
void write_grants(YAML::Emitter& out, const ImagePolicy& policy) {
  duration(out, "interval", policy.interval);
  accounts(out, "required", policy.required);
  accounts(out, "allowed", policy.allowed);
  if (policy.exceptions.empty()) return;
  out << YAML::Key << "exceptions" << YAML::Value << YAML::BeginSeq;
  for (const Exception& e : policy.exceptions)
    emit::exception(out, e);
  out << YAML::EndSeq;
}

void write_image(YAML::Emitter& out, const ImagePolicy& image) {
  out << YAML::BeginMap;
  text(out, "id", image.id.str());
  text(out, "name", image.name);
  text(out, "team", image.team);
  text(out, "severity", image.severity);
  text(out, "profile", image.profile);
  write_grants(out, image);
  plain(out, "canary", image.canary);
  out << YAML::EndMap;
}

void write_rule(YAML::Emitter& out, const DiscoverRule& rule) {
  out << YAML::BeginMap;
  text(out, "name", rule.name);
  text(out, "profile", rule.profile);
  text(out, "team", rule.policy.team);
  text(out, "severity", rule.policy.severity);
  write_grants(out, rule.policy);
  out << YAML::EndMap;
}

void write_inventory(YAML::Emitter& out, const InventoryConfig& inventory) {
  out << YAML::Key << "inventory" << YAML::Value;
  if (!inventory.enabled) {
    out << std::string(kInventoryOff);
    return;
  }
  out << YAML::BeginMap;
  duration(out, "interval", inventory.interval);
  out << YAML::EndMap;
}

void write_ignored(YAML::Emitter& out, const IgnoredImage& ignored) {
  out << YAML::Flow << YAML::BeginMap;
  text(out, "id", ignored.id.str());
  text(out, "owner", ignored.owner);
  text(out, "reason", ignored.reason);
  out << YAML::EndMap;
}

template <class T, class F>
void list(YAML::Emitter& out, const char* key, const std::vector<T>& items, F write) {
  out << YAML::Key << key << YAML::Value << YAML::BeginSeq;
  for (const T& item : items)
    write(out, item);
  out << YAML::EndSeq;
}

}  // namespace

std::string to_yaml(const Config& config) {
  YAML::Emitter out;
  out << YAML::Comment("sha256 of the file: " + config.sha256);
  out << YAML::BeginMap << YAML::Key << "profiles" << YAML::Value << YAML::BeginMap;
  for (const ProfileConfig& profile : config.profiles) {
    out << YAML::Key << YAML::DoubleQuoted << profile.name << YAML::Value;
    write_profile(out, profile);
  }
  out << YAML::EndMap << YAML::Key << "poll" << YAML::Value;
  write_poll(out, config.poll);
  if (!config.account_names.empty()) {
    out << YAML::Key << "accounts" << YAML::Value << YAML::BeginMap;
    for (const auto& [id, name] : config.account_names) {
      out << YAML::Key << YAML::DoubleQuoted << std::string(id.str()) << YAML::Value << YAML::Flow
          << YAML::BeginMap;
      text(out, "name", name);
      out << YAML::EndMap;
    }
    out << YAML::EndMap;
  }
  write_inventory(out, config.inventory);
  if (!config.discover.empty()) list(out, "discover", config.discover, write_rule);
  if (!config.ignored.empty()) list(out, "ignore", config.ignored, write_ignored);
  list(out, "images", config.images, [](YAML::Emitter& to, const auto& image) { write_image(to, *image); });
  out << YAML::EndMap;
  return std::string(out.c_str(), out.size()) + "\n";
}

}  // namespace sharedrift
