#pragma once

#include "core/listing.hpp"
#include "core/policy.hpp"
#include "core/tracker.hpp"

#include <cstddef>
#include <optional>

namespace sharedrift {

/// How many accounts are remembered of all images together: an API that names a hundred thousand for each
/// must not fill the memory, nor the state database beyond what is read back of it (StateLimits). Not
/// thread-safe.
class AccountLimit {
 public:
  /// `beside`: so many, and account_room() of each watched image.
  explicit AccountLimit(std::size_t beside = kMostBeyondRoom) : beside_(beside) {}

  /// `listing` as far as there is room, with those first that are known already, and then not complete:
  /// too_large. None: all of it may be taken. Everything that is returned or may be taken counts as
  /// remembered.
  std::optional<Observation> cut(const Tracker& tracker, const ImageId& image, const Observation& listing);
  /// Images came back with what is remembered of them.
  void count_anew() { known_.reset(); }

 private:
  const std::size_t beside_;
  std::optional<std::size_t> known_;  ///< at most so many are remembered now; none: not counted yet
};

}  // namespace sharedrift
