#pragma once

#include "aliyun/classify.hpp"
#include "aliyun/clock_correction.hpp"
#include "aliyun/pacing.hpp"
#include "aliyun/signer.hpp"
#include "core/timer_queue.hpp"
#include "ports.hpp"
#include "wire/json_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace sharedrift {

struct GateOptions {
  std::string profile;
  double requests_per_second = 5;  ///< 0: no limit
  int concurrency = 8;             ///< requests in flight
  int max_attempts = 4;
  Millis timeout{10'000};  ///< of one request
  std::shared_ptr<const HttpRoute> route;
  std::shared_ptr<ClockCorrection> correction = std::make_shared<ClockCorrection>();
};

struct ApiAnswer {
  JsonDocument document;
  std::optional<WallTime> server_time;  ///< the Date header
  std::uint64_t generation = 0;         ///< of the credentials that signed
  bool from_cache = false;              ///< its Age header says so
};
using ApiDone = std::function<void(Result<ApiAnswer, Failure>)>;

/// The one way to the API for a profile: signs, paces, retries, and learns from refusals. A call in backoff
/// holds neither a slot nor the queue, so one image's trouble delays no other. Nothing is ever sent unsigned.
/// Driven by the poll loop; not thread-safe. The transport must be cancelled before the gate goes.
class ApiGate {
 public:
  ApiGate(GateOptions options, HttpTransport& transport, TimerQueue& timers, CredentialSource& credentials,
          const Clock& clock, Random& random, ApiObserver& observer);

  /// Queues a call that ends by `deadline`. `done` is called exactly once, from a timer or the transport's
  /// run_once(), never from within call(); not at all after withdraw(). `poll`: whose call it is.
  void call(ApiCall call, MonoTime deadline, ApiDone done, const void* poll = nullptr);
  /// Forgets the calls of `poll` that are not in flight. Returns how many they were.
  std::size_t withdraw(const void* poll);
  /// Call after each wait of the loop: credentials may have come meanwhile.
  void on_wake();
  /// Takes over the budgets of `earlier`, which sends nothing any more, and what it learnt from throttling.
  void continue_pace_of(const ApiGate& earlier);
  /// Requests a second that may be sent now: the configured rate, less after throttling. 0: no limit.
  [[nodiscard]] double budget() const { return options_.requests_per_second * governor_.share(); }

 private:
  struct Call;
  using Calls = std::list<Call>;
  using CallAt = Calls::iterator;  ///< good for as long as the call lives, in whichever list
  struct Call {
    ApiCall request;
    MonoTime deadline;
    ApiDone done;
    const void* poll = nullptr;
    Calls* in = nullptr;  ///< the list that it is in
    TimerQueue::Timer late;
    TimerQueue::Timer backoff;
    int attempts = 0;
    bool retimed = false;                             ///< the time stamp was refused once already
    std::optional<std::uint64_t> refused_generation;  ///< of the credentials that were refused, if any were
    // Of the last attempt:
    std::uint64_t generation = 0;
    Millis correction{};  ///< of the local clock, as it was signed
    MonoTime sent;
    std::optional<Failure> last;  ///< why it did not do
  };

  void send_soon();
  void send();
  [[nodiscard]] bool may_send(MonoTime now);
  void send(CallAt call, Instant now);
  void take_answer(CallAt call, HttpResult result);
  void take_failure(CallAt call, ApiError error, Millis hint);
  void take_transport_error(CallAt call, TransportError error);
  void learn_time(const HttpResponse& response, MonoTime sent);
  void retry(CallAt call, Millis wait);
  void end_late(CallAt call);
  void finish(CallAt call, Result<ApiAnswer, Failure> result);
  static void move(CallAt call, Calls& to);
  [[nodiscard]] Failure why_it_waits(const Call& call, MonoTime now) const;
  [[nodiscard]] std::size_t slots() const;

  GateOptions options_;
  HttpTransport& transport_;
  TimerQueue& timers_;
  CredentialSource& credentials_;
  const Clock& clock_;
  Random& random_;
  ApiObserver& observer_;
  TokenBucket bucket_;
  RetryBudget retries_;
  ThrottleGovernor governor_;
  Calls queue_;      ///< wait for a slot, for the pace or for credentials; the oldest first
  Calls in_flight_;  ///< are the transport's
  Calls resting_;    ///< in backoff
  TimerQueue::Timer sending_;
  bool awaits_credentials_ = false;
  LoginGuard login_;
  Failure login_refused_;  ///< what is said while the login rests
  std::optional<WallTime> server_time_;
  std::uint64_t reported_generation_ = 0;
};

}  // namespace sharedrift
