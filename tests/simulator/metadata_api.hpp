#pragma once

#include "core/time.hpp"
#include "simulator/answer.hpp"
#include "simulator/api.hpp"

#include <map>
#include <string>

namespace sharedrift::simulator {

/// The instance's metadata service (`/latest/...`, with and without token) and the credentials URI
/// (`/credentials`). Not thread-safe.
class MetadataService {
 public:
  /// The name under which faults and the journal know a request; empty if it is none of this service.
  static std::string_view action_of(const ServerRequest& request);

  SimAnswer answer(World& world, IdSource& ids, const ServerRequest& request, Instant now);

 private:
  struct Session {
    std::string key_id;
    WallTime opened{};
    std::chrono::seconds life{};
  };
  SimAnswer new_token(IdSource& ids, const ServerRequest& request, MonoTime now);
  SimAnswer credentials(World& world, IdSource& ids, std::string_view role_name, WallTime now);

  std::map<std::string, MonoTime, std::less<>> tokens_;   ///< with their end
  std::map<std::string, Session, std::less<>> sessions_;  ///< by role
};

}  // namespace sharedrift::simulator
