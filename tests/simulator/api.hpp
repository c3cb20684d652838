#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "simulator/answer.hpp"
#include "simulator/call.hpp"
#include "simulator/fault.hpp"
#include "simulator/id_source.hpp"
#include "simulator/world.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sharedrift::simulator {

/// The text of a file, read when asked; nothing if it cannot be read.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;

/// All that an operation needs to answer one call.
struct ApiContext {
  World& world;
  const Call& call;
  const Key* caller;  ///< null for operations that are not signed
  const Effects& effects;
  WallTime now;
  IdSource& ids;
  const FileReader& read_file;
  std::string request_id;
};

/// The JSON body of a success, or the refusal.
using ApiResult = Result<std::string, ApiError>;
using Operation = ApiResult (*)(ApiContext&);

/// What to know of an operation before it runs.
struct OperationInfo {
  std::string_view version;
  std::string_view action;
  std::string_view product;
  std::string_view right;  ///< RAM action asked for; empty: none
  bool is_signed;
  Operation run;
};

/// nullptr if there is no such operation.
const OperationInfo* find_operation(std::string_view version, std::string_view action);
bool is_known_version(std::string_view version);

// The operations. ens_api.cpp:
ApiResult describe_image_share_permission(ApiContext& context);
ApiResult describe_self_images(ApiContext& context);
ApiResult describe_images(ApiContext& context);
ApiResult modify_image_share_permission(ApiContext& context);
// sts_api.cpp:
ApiResult get_caller_identity(ApiContext& context);
ApiResult assume_role(ApiContext& context);
ApiResult assume_role_with_oidc(ApiContext& context);

/// A new session of a role, as AssumeRole and the metadata service give them out; the world keeps it.
const Key* open_session(World& world, IdSource& ids, const Role& role, std::string_view session_name,
                        std::optional<std::vector<Statement>> policy, WallTime expires);

}  // namespace sharedrift::simulator
