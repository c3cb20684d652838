#include "core/record.hpp"

namespace sharedrift {

std::string_view to_string(DriftKind kind) {
  return kind == DriftKind::unexpected ? "unexpected" : "missing";
}

std::string_view to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::revoked: return "revoked";
    case CloseReason::restored: return "restored";
    case CloseReason::allowed_by_config: return "allowed_by_config";
    case CloseReason::image_gone: return "image_gone";
    case CloseReason::unwatched: return "unwatched";
  }
  return "unwatched";
}

}  // namespace sharedrift
