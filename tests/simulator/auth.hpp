#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "simulator/answer.hpp"
#include "simulator/call.hpp"
#include "simulator/world.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace sharedrift::simulator {

/// The nonces of the last 15 minutes, as hashes and at most `capacity` of them (the oldest go first). Time is
/// the steady clock's, so that a skewed server clock forgets nothing. Not thread-safe.
class NonceMemory {
 public:
  explicit NonceMemory(std::size_t capacity = 1'000'000) : capacity_(capacity) {}
  /// False if it was seen before.
  bool insert(std::string_view key_id, std::string_view nonce, MonoTime now);

 private:
  std::size_t capacity_;
  std::deque<std::pair<MonoTime, std::uint64_t>> order_;
  std::unordered_set<std::uint64_t> seen_;
};

/// Who calls, if the signature, the time stamp, the nonce and the token are right; ACS3-HMAC-SHA256 or the
/// legacy RPC signature. `now` is the server's clock, skew included. The pointer is valid until the world's
/// keys change.
Result<const Key*, ApiError> authenticate(World& world, NonceMemory& nonces, const Call& call, Instant now);

}  // namespace sharedrift::simulator
