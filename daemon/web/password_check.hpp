#pragma once

#include "core/secret.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace sharedrift {

/// Checks passwords against bcrypt hashes. A check costs tens of milliseconds of CPU by design, so they run
/// one at a time with few waiting, and what was verified is remembered (as a keyed digest): who cannot log in
/// cannot keep the machine busy, and who can is not slowed down by them. Thread-safe.
class PasswordCheck {
 public:
  enum class Verdict { right, wrong, busy };

  static constexpr std::size_t kMostKept = 100;
  static constexpr int kMostWaiting = 8;

  PasswordCheck();
  /// `hash`: the user's bcrypt hash, or none for an unknown user, which takes as long as `decoy` (a bcrypt
  /// hash) would and is wrong. busy: too many wait already; ask again later.
  Verdict check(std::string_view user, const Secret& password, const std::optional<std::string>& hash,
                const std::string& decoy);

 private:
  using Digest = std::string;
  [[nodiscard]] Digest digest(std::string_view user, std::string_view hash, const Secret& password) const;
  [[nodiscard]] bool is_kept(const Digest& wanted);
  void keep(const Digest& verified);

  std::string key_;  ///< of this process alone
  std::mutex kept_mutex_;
  std::deque<Digest> kept_;  ///< guarded by kept_mutex_; oldest first
  std::mutex one_at_a_time_;
  std::atomic<int> waiting_{0};
};

}  // namespace sharedrift
