#pragma once

#include "core/ids.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sharedrift {

/// A temporary permission. All fields are mandatory in a config; a draft (`baseline`) may leave owner and
/// reason empty.
struct Exception {
  AccountId account;
  WallTime expires;  ///< allowed strictly before this moment
  std::string owner;
  std::string ticket;
  std::string reason;
  friend bool operator==(const Exception&, const Exception&) = default;
};

/// What one image may and must be shared with, and how it is watched. Plain values, groups already resolved.
struct ImagePolicy {
  ImageId id;
  std::string name;                 ///< may be empty
  std::string team;                 ///< may be empty
  std::string severity;             ///< may be empty
  std::string profile = "default";  ///< empty: not known, of an image that is not watched
  Millis interval{};
  Millis stale_after{900'000};        ///< from then on a 0 is withdrawn
  std::vector<AccountId> required;    ///< sorted, unique; must be shared, is allowed too
  std::vector<AccountId> allowed;     ///< sorted, unique; may be shared
  std::vector<Exception> exceptions;  ///< sorted by account, at most one per account
  bool canary = false;
  bool discovered = false;            ///< by a rule; else it has an entry of its own
  std::optional<WallTime> created{};  ///< of a discovered image, as the API says
  friend bool operator==(const ImagePolicy&, const ImagePolicy&) = default;
};

/// How an account stands to an image at a moment.
enum class Grant { none, required, allowed, exception };

/// `now` is the later of the local and the API's clock: one that is set back must not prolong an exception.
Grant grant_of(const ImagePolicy& policy, const AccountId& account, WallTime now);
inline bool may_have(const ImagePolicy& policy, const AccountId& account, WallTime now) {
  return grant_of(policy, account, now) != Grant::none;
}
/// Distinct accounts that the allow-list lets in at `now`.
std::size_t allowed_count(const ImagePolicy& policy, WallTime now);
/// The entries (required, allowed, unexpired exceptions) that match none of `listed` (sorted).
std::vector<AccountId> unused_entries(const ImagePolicy& policy, const std::vector<AccountId>& listed,
                                      WallTime now);
/// The next moment strictly after `now` at which an exception expires.
std::optional<WallTime> next_expiry(const ImagePolicy& policy, WallTime now);

/// So many accounts are remembered of an image whatever the others take: those that its own entry names, and
/// ten at least.
inline std::size_t account_room(const ImagePolicy& policy) {
  constexpr std::size_t kLeast = 10;
  const std::size_t named = policy.required.size() + policy.allowed.size() + policy.exceptions.size();
  return std::max(kLeast, policy.discovered ? 0 : named);
}
/// Of `accounts` of an image those that are beyond its own room, and how many of all images there may be of
/// them.
inline std::size_t beyond_room(const ImagePolicy& policy, std::size_t accounts) {
  return accounts - std::min(accounts, account_room(policy));
}
inline constexpr std::size_t kMostBeyondRoom = 250'000;

}  // namespace sharedrift
