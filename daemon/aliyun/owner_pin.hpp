#pragma once

#include "aliyun/api_gate.hpp"
#include "core/failure.hpp"
#include "core/ids.hpp"
#include "core/timer_queue.hpp"
#include "ports.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <set>

namespace sharedrift {

/// Knows of which keys it is known that they belong to the account that is pinned: GetCallerIdentity is asked
/// once for each new key. Driven by the poll loop; not thread-safe.
class OwnerPin {
 public:
  using Generations = std::set<std::uint64_t>;  ///< of credentials
  using Then = std::function<void(const Failure* problem)>;

  /// No `owner`: any account will do. `caller_identity` is the call that asks.
  OwnerPin(std::optional<AccountId> owner, ApiCall caller_identity, ApiGate& gate, TimerQueue& timers,
           CredentialSource& credentials, const Clock& clock);

  /// Calls `then` once it is known whether the keys that signed are the owner's; of none yet, the key that
  /// will sign. Null: they are, which may be told from within. A problem comes from a timer or an answer.
  void check(const Generations& signed_with, MonoTime deadline, Then then);
  /// Whether it is known already that they are.
  [[nodiscard]] bool proves(const Generations& signed_with) const;

 private:
  struct Waiter {
    TimerQueue::Timer late;
    Then then;
  };
  void ask(MonoTime deadline);
  void wait(MonoTime until, Failure why, Then then);
  void take(const Result<ApiAnswer, Failure>& answer);
  [[nodiscard]] std::optional<std::uint64_t> current_generation() const;

  std::optional<AccountId> owner_;
  ApiCall caller_identity_;
  ApiGate& gate_;
  TimerQueue& timers_;
  CredentialSource& credentials_;
  const Clock& clock_;
  std::list<Waiter> waiting_;  ///< for the answer of the call under way
  std::list<Waiter> refused_;  ///< are told so by the next turn of the loop
  bool asking_ = false;
  Generations own_;                       ///< keys that are known to be the owner's; the last few
  std::optional<std::uint64_t> foreign_;  ///< the last key that is known to be another account's
  Failure foreign_failure_;               ///< what is to be said about it
};

}  // namespace sharedrift
