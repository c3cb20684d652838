#pragma once

#include "core/ids.hpp"

#include <cstdint>

namespace sharedrift {

/// The shard, from 0, that an image belongs to among `count` (at least 1): jump consistent hash (Lamping and
/// Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014) over stable_hash, as kube-state-metrics
/// shards. Going from n to m shards moves only what it must: an image stays or goes to a shard that is new.
int shard_of(const ImageId& image, int count);

}  // namespace sharedrift
