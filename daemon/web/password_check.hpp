#pragma once

#include "core/secret.hpp"

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace sharedrift {

/// Checks passwords against bcrypt hashes. A check costs tens of milliseconds of CPU by design; what was
/// verified is remembered (as a keyed digest), so that who can log in does not wait for those who cannot.
/// Thread-safe.
class PasswordCheck {
 public:
  enum class Verdict { right, wrong, unknown };

  static constexpr std::size_t kMostKept = 100;

  PasswordCheck();
  /// `hash`: the user's bcrypt hash, or none for an unknown user. `decoy`: the dearest bcrypt hash that there
  /// is; whatever is wrong takes as long as it would, so that time tells nobody who is a user. unknown: only
  /// where it may not take long.
  Verdict check(std::string_view user, const Secret& password, const std::optional<std::string>& hash,
                const std::string& decoy, bool may_take_long = true);

 private:
  using Digest = std::string;
  [[nodiscard]] Digest digest(std::string_view user, std::string_view hash, const Secret& password) const;
  [[nodiscard]] bool is_kept(const Digest& wanted);
  void keep(const Digest& verified);

  std::string key_;  ///< of this process alone
  std::mutex kept_mutex_;
  std::deque<Digest> kept_;  ///< guarded by kept_mutex_; oldest first
};

}  // namespace sharedrift
