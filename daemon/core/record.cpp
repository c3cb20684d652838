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

ImageRecord lasting(ImageRecord record) {
  record.last_complete.reset();
  record.last_complete_began.reset();
  record.last_poll.reset();
  record.counters.listings = record.counters.failures = 0;
  for (Sighting& sighting : record.sightings)
    sighting.last_seen = {};
  for (Loss& loss : record.losses)
    loss.proof = {};
  return record;
}

}  // namespace sharedrift
