#pragma once

#include "core/ids.hpp"
#include "core/policy.hpp"
#include "core/time.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

/// Entries of a map that is being written.
namespace sharedrift::emit {

/// A number, a flag or a word of ours.
template <class T>
void plain(YAML::Emitter& out, const char* key, T value) {
  out << YAML::Key << key << YAML::Value << value;
}
/// Text of a person in quotes, so that no reader takes it for something else; nothing if it is empty.
inline void text(YAML::Emitter& out, const char* key, std::string_view value) {
  if (!value.empty()) out << YAML::Key << key << YAML::Value << YAML::DoubleQuoted << std::string(value);
}
inline void duration(YAML::Emitter& out, const char* key, Millis value) {
  plain(out, key, format_duration(value));
}
inline void accounts(YAML::Emitter& out, const char* key, const std::vector<AccountId>& accounts) {
  out << YAML::Key << key << YAML::Value << YAML::Flow << YAML::BeginSeq;
  for (const AccountId& account : accounts)
    out << YAML::DoubleQuoted << std::string(account.str());
  out << YAML::EndSeq;
}
inline void exception(YAML::Emitter& out, const Exception& e) {
  out << YAML::BeginMap;
  text(out, "account", e.account.str());
  text(out, "expires", format_rfc3339(e.expires));
  text(out, "owner", e.owner);
  text(out, "ticket", e.ticket);
  text(out, "reason", e.reason);
  out << YAML::EndMap;
}

}  // namespace sharedrift::emit
