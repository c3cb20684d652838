#pragma once

#include "core/policy.hpp"

#include <algorithm>
#include <cstddef>

namespace sharedrift {

/// So many accounts are remembered of an image whatever the others take: those that its own entry names, and
/// ten at least.
inline std::size_t account_room(const ImagePolicy& policy) {
  constexpr std::size_t kLeast = 10;
  const std::size_t named = policy.required.size() + policy.allowed.size() + policy.exceptions.size();
  return std::max(kLeast, policy.discovered ? 0 : named);
}

}  // namespace sharedrift
