#pragma once

#include "core/result.hpp"
#include "http_server/http_server.hpp"
#include "simulator/answer.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace sharedrift::simulator {

class JsonArgs;
class Simulator;

/// The control path `/_sim/...`: JSON in, {"status":"success","data":...} or {"status":"error","error":...}
/// out. For loopback only, and never for a page in a browser. Made for one request, under the simulator's
/// lock.
class Control {
 public:
  explicit Control(Simulator& simulator) : simulator_(simulator) {}
  SimAnswer answer(const ServerRequest& request, Instant now);

 private:
  using Done = Result<nlohmann::json, std::string>;
  using Read = Done (Control::*)(const ServerRequest& request);
  using Change = Done (Control::*)(const nlohmann::json& body, WallTime now);
  struct Route;
  static const Route* find_route(std::string_view path);

  Done state(const ServerRequest& request);
  Done requests(const ServerRequest& request);
  Done faults(const ServerRequest& request);
  Done fault_kinds(const ServerRequest& request);
  Done health(const ServerRequest& request);

  Done create_image(const nlohmann::json& body, WallTime now);
  Done delete_image(const nlohmann::json& body, WallTime now);
  Done rename_image(const nlohmann::json& body, WallTime now);
  Done share(const nlohmann::json& body, WallTime now);
  Done unshare(const nlohmann::json& body, WallTime now);
  Done share_generated(const nlohmann::json& body, WallTime now);
  Done create_key(const nlohmann::json& body, WallTime now);
  Done disable_key(const nlohmann::json& body, WallTime now);
  Done enable_key(const nlohmann::json& body, WallTime now);
  Done delete_key(const nlohmann::json& body, WallTime now);
  Done expire_key(const nlohmann::json& body, WallTime now);
  Done rotate_key(const nlohmann::json& body, WallTime now);
  Done set_rights(const nlohmann::json& body, WallTime now);
  Done create_role(const nlohmann::json& body, WallTime now);
  Done set_oidc(const nlohmann::json& body, WallTime now);
  Done set_behaviour(const nlohmann::json& body, WallTime now);
  Done add_scenario(const nlohmann::json& body, WallTime now);
  Done add_fault(const nlohmann::json& body, WallTime now);
  Done clear_faults(const nlohmann::json& body, WallTime now);
  Done clear_requests(const nlohmann::json& body, WallTime now);
  Done reset(const nlohmann::json& body, WallTime now);

  Simulator& simulator_;
};

}  // namespace sharedrift::simulator
