#pragma once

#include "aliyun/classify.hpp"
#include "aliyun/pacing.hpp"
#include "aliyun/signer.hpp"
#include "ports.hpp"
#include "wire/json_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
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
};

struct ApiAnswer {
  JsonDocument document;
  std::optional<WallTime> server_time;  ///< the Date header
  std::uint64_t generation = 0;         ///< of the credentials that signed
};
using ApiDone = std::function<void(Result<ApiAnswer, Failure>)>;
/// Says whether a call that was not sent yet is still of use.
using ApiWanted = std::function<bool()>;

/// The one way to the API for a profile: signs, paces, retries, and learns from refusals. A call in backoff
/// holds neither a slot nor the queue, so one image's trouble delays no other. Nothing is ever sent unsigned.
/// Driven by the poll thread; not thread-safe. The transport must be cancelled before the gate goes.
class ApiGate {
 public:
  ApiGate(GateOptions options, HttpTransport& transport, CredentialSource& credentials, const Clock& clock,
          Random& random, ApiObserver& observer);

  /// Queues a call that ends by `deadline`. `done` is called exactly once, from pump() or the transport's
  /// run_once(). `wanted` is asked after recheck(); null: it always is.
  void call(ApiCall call, MonoTime deadline, ApiDone done, ApiWanted wanted = nullptr);
  /// Takes over the budgets of `earlier`, which sends nothing any more, and what it learnt from throttling.
  void continue_pace_of(const ApiGate& earlier);
  /// The next pump() ends calls that are under way to nobody: not sent yet, and not wanted any more.
  void recheck() { earliest_deadline_ = MonoTime::min(); }
  void pump(Instant now);
  /// When pump() has something to do by itself again; MonoTime::max() if never.
  [[nodiscard]] MonoTime next_wake(MonoTime now) const;
  /// Requests a second that may be sent now: the configured rate, less after throttling. 0: no limit.
  [[nodiscard]] double budget() const { return options_.requests_per_second * governor_.share(); }

 private:
  struct Call {
    ApiCall request;
    MonoTime deadline;
    ApiDone done;
    ApiWanted wanted;
    int attempts = 0;
    bool retimed = false;                             ///< the time stamp was refused once already
    std::optional<std::uint64_t> refused_generation;  ///< of the credentials that were refused, if any were
    // Of the last attempt:
    std::uint64_t generation = 0;
    Millis correction{};  ///< of the local clock, as it was signed
    MonoTime sent;
    std::optional<Failure> last;  ///< why it did not do
  };
  using CallPtr = std::unique_ptr<Call>;

  void launch(CallPtr call, Instant now);
  void complete(CallPtr call, HttpResult result);
  void handle(CallPtr call, ApiError error, Millis hint);
  void learn_time(const HttpResponse& response, MonoTime sent);
  void retry(CallPtr call, Millis wait);
  static void finish(CallPtr call, Failure failure);
  void drop_useless(MonoTime now);
  [[nodiscard]] Failure why_it_waits(const Call& call, MonoTime now) const;
  [[nodiscard]] Millis correction() const;
  [[nodiscard]] std::size_t slots() const;

  GateOptions options_;
  HttpTransport& transport_;
  CredentialSource& credentials_;
  const Clock& clock_;
  Random& random_;
  ApiObserver& observer_;
  TokenBucket bucket_;
  RetryBudget retries_;
  ThrottleGovernor governor_;
  std::deque<CallPtr> ready_;
  std::multimap<MonoTime, CallPtr> delayed_;
  MonoTime earliest_deadline_ = MonoTime::max();  ///< of what waits; may be too early, never too late
  std::size_t in_flight_ = 0;
  Millis skew_{};  ///< the API's clock minus ours
  std::optional<WallTime> server_time_;
  std::uint64_t reported_generation_ = 0;
};

}  // namespace sharedrift
