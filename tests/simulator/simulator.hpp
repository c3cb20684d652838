#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "http_server/http_server.hpp"
#include "simulator/answer.hpp"
#include "simulator/api.hpp"
#include "simulator/auth.hpp"
#include "simulator/fault.hpp"
#include "simulator/id_source.hpp"
#include "simulator/journal.hpp"
#include "simulator/metadata_api.hpp"
#include "simulator/world.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <nlohmann/json.hpp>

namespace sharedrift::simulator {

/// The whole simulated cloud behind one function: ENS, STS, the metadata service, a credentials URI and the
/// control path `/_sim/`, told apart by path and version. No sockets, no clock of its own. Thread-safe.
class Simulator {
 public:
  /// The world begins as `scenario` says (load_scenario); reset goes back to it.
  static Result<std::unique_ptr<Simulator>, std::string> create(nlohmann::json scenario, std::uint64_t seed,
                                                                FileReader read_file, WallTime now);
  SimAnswer handle(const ServerRequest& request, Instant now);

 private:
  friend class Control;
  Simulator(nlohmann::json scenario, std::uint64_t seed, FileReader read_file);
  Result<Unit, std::string> reset(WallTime now);

  struct Outcome {
    SimAnswer answer;
    std::string code;  ///< of a refusal
  };
  SimAnswer serve(const ServerRequest& request, Instant now);
  Outcome call_api(const Call& call, const Effects& effects, Instant now, const std::string& request_id);
  ApiResult run(const Call& call, const OperationInfo* operation, const Effects& effects, Instant now,
                const std::string& request_id);

  const nlohmann::json scenario_;
  const FileReader read_file_;
  std::mutex mutex_;  ///< guards all below
  World world_;
  FaultBoard faults_;
  Journal journal_;
  NonceMemory nonces_;
  MetadataService metadata_;
  IdSource ids_;
};

}  // namespace sharedrift::simulator
