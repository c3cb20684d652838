#include "aliyun/api_gate.hpp"

#include "aliyun/answer.hpp"
#include "core/failure.hpp"
#include "core/number.hpp"
#include "wire/encoding.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sharedrift {

namespace {

/// `x-acs-retry-after` in milliseconds, `Retry-After` in seconds or as a date; 0 if neither says anything
/// usable.
Millis wait_hint(const HttpResponse& response, WallTime now) {
  const auto number = [&response](std::string_view name) {
    return std::min<std::int64_t>(parse_number<std::int64_t>(response.header(name)).value_or(0), 86'400'000);
  };
  if (const auto millis = number("x-acs-retry-after"); millis > 0) return Millis{millis};
  if (const auto seconds = number("retry-after"); seconds > 0) return std::chrono::seconds{seconds};
  const auto date = parse_http_date(response.header("retry-after"));
  return date && *date > now ? *date - now : Millis{0};
}

bool has_proxy(const GateOptions& options) {
  return options.route && (!options.route->proxy_url.empty() || options.route->proxy_from_environment);
}

bool has_same_proxy(const GateOptions& a, const GateOptions& b) {
  return a.route && b.route && a.route->proxy_url == b.route->proxy_url &&
         a.route->proxy_from_environment == b.route->proxy_from_environment;
}

/// The RAM action that a call needs.
std::string right_of(const ApiCall& call) {
  return (call.version == "2015-04-01" ? "sts:" : "ens:") + std::string{call.action};
}

}  // namespace

ApiGate::ApiGate(GateOptions options, HttpTransport& transport, TimerQueue& timers,
                 CredentialSource& credentials, const Clock& clock, Random& random, ApiObserver& observer)
    : options_(std::move(options)),
      transport_(transport),
      timers_(timers),
      credentials_(credentials),
      clock_(clock),
      random_(random),
      observer_(observer),
      bucket_(options_.requests_per_second, clock.mono()),
      login_(has_proxy(options_)) {}

void ApiGate::call(ApiCall call, MonoTime deadline, ApiDone done, const void* poll) {
  const auto queued = queue_.emplace(queue_.end());
  queued->request = std::move(call);
  queued->deadline = deadline;
  queued->done = std::move(done);
  queued->poll = poll;
  queued->in = &queue_;
  queued->late = timers_.at(deadline, [this, queued] { end_late(queued); });
  send_soon();
}

std::size_t ApiGate::withdraw(const void* poll) {
  const auto of_poll = [poll](const Call& call) { return call.poll == poll; };
  return queue_.remove_if(of_poll) + resting_.remove_if(of_poll);
}

void ApiGate::on_wake() {
  if (awaits_credentials_ && !credentials_.pending()) send_soon();
}

void ApiGate::continue_pace_of(const ApiGate& earlier) {
  bucket_ = earlier.bucket_;
  retries_ = earlier.retries_;
  governor_ = earlier.governor_;
  if (has_same_proxy(options_, earlier.options_)) {
    login_ = earlier.login_;
    login_refused_ = earlier.login_refused_;
  }
}

/// By a timer: whoever makes a call or brings an answer has more to do first.
void ApiGate::send_soon() {
  sending_ = timers_.at(clock_.mono(), [this] { send(); });
}

/// Sends what may go now, and sets the timer for the rest if only time is in its way.
void ApiGate::send() {
  const Instant now = clock_.now();
  bucket_.set_rate(budget(), now.mono);
  while (may_send(now.mono))
    send(queue_.begin(), now);
  awaits_credentials_ = !queue_.empty() && credentials_.pending();
  if (queue_.empty() || awaits_credentials_ || in_flight_.size() >= slots()) return;
  sending_ = timers_.at(std::max(governor_.hold_until(), bucket_.ready_at(now.mono)), [this] { send(); });
}

/// Takes a token if so.
bool ApiGate::may_send(MonoTime now) {
  return !queue_.empty() && in_flight_.size() < slots() && governor_.hold_until() <= now &&
         !credentials_.pending() && bucket_.take(now);
}

void ApiGate::send(CallAt call, Instant now) {
  if (call->deadline <= now.mono) return end_late(call);
  if (login_.hold_until() > now.mono) return finish(call, Err(login_refused_));
  auto credentials = credentials_.current();
  if (!credentials && credentials_.pending()) return;  // they ran out just now, and new ones are fetched
  if (!credentials) return finish(call, Err(std::move(credentials).error()));
  if (credentials->generation == call->refused_generation) {
    return finish(call, Err(std::move(*call->last)));  // no other credentials came
  }
  if (credentials->generation != reported_generation_) {
    reported_generation_ = credentials->generation;
    observer_.on_credentials(options_.profile, *credentials);
  }
  call->generation = credentials->generation;
  call->correction = (*options_.correction)();
  call->sent = now.mono;
  auto request =
      signed_request(call->request, *credentials, make_nonce(random_), now.wall + call->correction);
  if (!request) {
    return finish(call, Err(make_failure(Reason::credentials, "the credentials from " + credentials->origin +
                                                                  " have no key id or no secret")));
  }
  request->route = options_.route;
  observer_.on_request(options_.profile);
  if (call->attempts > 0) observer_.on_retry(options_.profile);
  ++call->attempts;
  move(call, in_flight_);
  transport_.start(std::move(*request), std::min(call->deadline, now.mono + options_.timeout),
                   [this, call](HttpResult result) { take_answer(call, std::move(result)); });
}

void ApiGate::take_answer(CallAt call, HttpResult result) {
  send_soon();  // a slot is free, or the pace has changed
  observer_.on_answer(options_.profile, std::chrono::duration_cast<Millis>(clock_.mono() - call->sent));
  if (!result) return take_transport_error(call, std::move(result).error());
  login_.on_success();
  learn_time(*result, call->sent);
  auto root = open_answer(*result, right_of(call->request));
  if (!root) return take_failure(call, std::move(root).error(), wait_hint(*result, clock_.wall()));
  governor_.on_success();
  retries_.earn();
  finish(call, ApiAnswer{std::move(*root), server_time_, call->generation, is_from_cache(*result)});
}

void ApiGate::take_transport_error(CallAt call, TransportError error) {
  // Sent again at once, it is repaired before anybody could see a failure, so none is counted.
  const bool stale = error.kind == TransportError::Kind::stale;
  if (stale && call->attempts < options_.max_attempts && retries_.take()) return retry(call, Millis{0});
  const bool refused = error.kind == TransportError::Kind::refused;
  ApiError failed = classify_transport(error.reason, std::move(error.detail), refused);
  if (refused) {
    const MonoTime now = clock_.mono();
    login_.on_refused(now);
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(login_.hold_until() - now).count();
    failed.failure.detail +=
        "; it rests for " + std::to_string(minutes) + " min, since proxies lock accounts for bad logins";
    login_refused_ = failed.failure;
  }
  take_failure(call, std::move(failed), Millis{0});
}

void ApiGate::take_failure(CallAt call, ApiError error, Millis hint) {
  observer_.on_failure(options_.profile, error.failure.reason);
  if (error.failure.reason == Reason::throttled) governor_.on_throttled(hint, call->sent, clock_.mono());
  call->last = std::move(error.failure);
  const bool may_try = call->attempts < options_.max_attempts;
  switch (error.remedy) {
    case Remedy::none: break;
    case Remedy::retry: {
      const Millis wait = std::max(std::min(hint, kLongestHint), backoff(call->attempts - 1, random_.unit()));
      // Waiting beyond the deadline would only hold the bad news back.
      if (!may_try || clock_.mono() + wait >= call->deadline || !retries_.take()) break;
      return retry(call, wait);
    }
    case Remedy::retry_at_once:
      if (!may_try || !retries_.take()) break;
      return retry(call, Millis{0});
    case Remedy::new_credentials:
      credentials_.report_rejected(call->generation);
      if (call->refused_generation) break;
      call->refused_generation = call->generation;
      return retry(call, Millis{0});  // send() sees whether other credentials came
    case Remedy::new_time: {
      // Worth it only if the answer told a time that is far from the one that was signed.
      if (call->retimed || !options_.correction->differs_from(call->correction)) break;
      call->retimed = true;
      return retry(call, Millis{0});
    }
  }
  finish(call, Err(std::move(*call->last)));
}

void ApiGate::retry(CallAt call, Millis wait) {
  move(call, resting_);
  call->backoff = timers_.at(clock_.mono() + wait, [this, call] {
    move(call, queue_);
    send_soon();
  });
}

/// The deadline passed. What is in flight ends by the transport, at the same moment.
void ApiGate::end_late(CallAt call) {
  if (call->in != &in_flight_) finish(call, Err(why_it_waits(*call, clock_.mono())));
}

void ApiGate::finish(CallAt call, Result<ApiAnswer, Failure> result) {
  const ApiDone done = std::move(call->done);
  call->in->erase(call);
  done(std::move(result));
}

void ApiGate::move(CallAt call, Calls& to) {
  to.splice(to.end(), *call->in, call);
  call->in = &to;
}

std::size_t ApiGate::slots() const {
  if (!login_.good()) return 1;
  return static_cast<std::size_t>(std::max(1.0, std::floor(options_.concurrency * governor_.share())));
}

/// The trouble a call had, or what kept it from being sent at all.
Failure ApiGate::why_it_waits(const Call& call, MonoTime now) const {
  if (call.last) return *call.last;
  if (credentials_.pending())
    return make_failure(Reason::credentials, "no credentials came before the deadline");
  const std::string cure = "; " + std::string{usual_cure(Reason::throttled)};
  if (governor_.hold_until() > now || governor_.share() < 1)
    return make_failure(Reason::throttled, "the API throttles, and left it no turn" + cure);
  if (bucket_.ready_at(now) > now)
    return make_failure(Reason::throttled, "the pace of requests_per_second left it no turn");
  return make_failure(Reason::timeout, "the deadline passed before the request could be sent");
}

void ApiGate::learn_time(const HttpResponse& response, MonoTime sent) {
  server_time_ = options_.correction->learn(response, sent, clock_.now());
  if (!server_time_) return;
  observer_.on_clock_skew(options_.profile,
                          std::chrono::duration<double>(options_.correction->skew()).count());
}

}  // namespace sharedrift
