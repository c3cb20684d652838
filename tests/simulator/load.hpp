#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "simulator/fault.hpp"
#include "simulator/world.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

/// JSON to parts of the world, for scenario files and the control path alike. Errors say what is wrong.
namespace sharedrift::simulator {

using Loaded = Result<Unit, std::string>;

/// {"id", "name"?, "owner"?, "status"?, "accounts"?: [...], "generated"?: n}
Loaded load_image(World& world, const nlohmann::json& spec, WallTime now);
/// {"id", "secret", "account"?, "kind"?, "rights"?, "denied_with"?, "token"?, "active"?,
/// "expires_in_seconds"?}
Loaded load_key(World& world, const nlohmann::json& spec, WallTime now);
/// {"name", "account"?, "rights"?, "trusted"?, "external_id"?, "max_session_seconds"?}
Loaded load_role(World& world, const nlohmann::json& spec);
/// {"provider_arn", "token" | "token_file"}
Loaded load_oidc(World& world, const nlohmann::json& spec);
/// Any of Behaviour's members; the others keep their value.
Loaded load_behaviour(World& world, const nlohmann::json& spec);
/// {"images", "accounts"}: images `m-sim-1` and on, each shared with the first accounts of the sequence.
Loaded load_fleet(World& world, const nlohmann::json& spec, WallTime now);
/// All of these in lists: images, keys, roles, oidc, faults; behaviour; fleet.
Loaded load_scenario(World& world, FaultBoard& faults, const nlohmann::json& scenario, WallTime now);

/// A scenario file's text, YAML or JSON. Duplicate keys are errors.
Result<nlohmann::json, std::string> parse_scenario(const std::string& text);

}  // namespace sharedrift::simulator
