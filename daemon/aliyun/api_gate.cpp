#include "aliyun/api_gate.hpp"

#include "aliyun/answer.hpp"
#include "core/failure.hpp"
#include "wire/encoding.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace sharedrift {

namespace {

/// The API takes time stamps within 15 minutes; from this far on the local clock is not trusted for signing.
constexpr Millis kClockTrusted{60'000};

/// `x-acs-retry-after` in milliseconds, `Retry-After` in seconds or as a date; 0 if neither says anything
/// usable.
Millis wait_hint(const HttpResponse& response, WallTime now) {
  const auto number = [&response](std::string_view name) {
    std::int64_t value = 0;
    const std::string_view text = response.header(name);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value > 0
               ? std::min<std::int64_t>(value, 86'400'000)
               : 0;
  };
  if (const auto millis = number("x-acs-retry-after"); millis > 0) return Millis{millis};
  if (const auto seconds = number("retry-after"); seconds > 0) return std::chrono::seconds{seconds};
  const auto date = parse_http_date(response.header("retry-after"));
  return date && *date > now ? *date - now : Millis{0};
}

}  // namespace

ApiGate::ApiGate(GateOptions options, HttpTransport& transport, CredentialSource& credentials,
                 const Clock& clock, Random& random, ApiObserver& observer)
    : options_(std::move(options)),
      transport_(transport),
      credentials_(credentials),
      clock_(clock),
      random_(random),
      observer_(observer),
      bucket_(options_.requests_per_second, clock.mono()) {}

void ApiGate::call(ApiCall call, MonoTime deadline, ApiDone done, ApiWanted wanted) {
  auto queued = std::make_unique<Call>();
  queued->request = std::move(call);
  queued->deadline = deadline;
  queued->done = std::move(done);
  queued->wanted = std::move(wanted);
  earliest_deadline_ = std::min(earliest_deadline_, deadline);
  ready_.push_back(std::move(queued));
}

void ApiGate::continue_pace_of(const ApiGate& earlier) {
  bucket_ = earlier.bucket_;
  retries_ = earlier.retries_;
  governor_ = earlier.governor_;
  skew_ = earlier.skew_;
  bucket_.set_rate(budget(), clock_.mono());
}

std::size_t ApiGate::slots() const {
  return static_cast<std::size_t>(std::max(1.0, std::floor(options_.concurrency * governor_.share())));
}

void ApiGate::pump(Instant now) {
  drop_useless(now.mono);
  while (!delayed_.empty() && delayed_.begin()->first <= now.mono) {
    ready_.push_back(std::move(delayed_.extract(delayed_.begin()).mapped()));
  }
  if (ready_.empty() || governor_.hold_until() > now.mono) return;
  bucket_.set_rate(budget(), now.mono);
  while (!ready_.empty() && in_flight_ < slots() && !credentials_.pending() && bucket_.take(now.mono)) {
    CallPtr next = std::move(ready_.front());
    ready_.pop_front();
    launch(std::move(next), now);
  }
}

/// The trouble a call had, or what kept it from being sent at all.
Failure ApiGate::why_it_waits(const Call& call, MonoTime now) const {
  if (call.last) return *call.last;
  if (credentials_.pending())
    return make_failure(Reason::credentials, "no credentials came before the deadline");
  if (governor_.hold_until() > now || bucket_.ready_at(now) > now || governor_.share() < 1) {
    return make_failure(Reason::throttled,
                        "the pace of requests_per_second, slowed down by any throttling, left it no turn");
  }
  return make_failure(Reason::timeout, "the deadline passed before the request could be sent");
}

/// Ends what waited for too long or for nobody, in the queue or in backoff, with the reason it waited for.
void ApiGate::drop_useless(MonoTime now) {
  if (now < earliest_deadline_) return;
  earliest_deadline_ = MonoTime::max();
  std::vector<CallPtr> dropped;
  const auto useless = [this, now](const Call& call) {
    if (call.deadline <= now || (call.wanted && !call.wanted())) return true;
    earliest_deadline_ = std::min(earliest_deadline_, call.deadline);
    return false;
  };
  std::deque<CallPtr> still_ready;
  for (CallPtr& call : ready_) {
    if (useless(*call)) {
      dropped.push_back(std::move(call));
    } else {
      still_ready.push_back(std::move(call));
    }
  }
  ready_.swap(still_ready);
  for (auto it = delayed_.begin(); it != delayed_.end();) {
    const bool drop = useless(*it->second);
    if (drop) dropped.push_back(std::move(it->second));
    it = drop ? delayed_.erase(it) : std::next(it);
  }
  for (CallPtr& call : dropped) {
    Failure why = why_it_waits(*call, now);
    finish(std::move(call), std::move(why));
  }
}

MonoTime ApiGate::next_wake(MonoTime now) const {
  MonoTime next = earliest_deadline_;
  if (!delayed_.empty()) next = std::min(next, delayed_.begin()->first);
  if (!ready_.empty() && in_flight_ < slots() && !credentials_.pending()) {
    next = std::min(next, std::max(governor_.hold_until(), bucket_.ready_at(now)));
  }
  return std::max(next, now);
}

Millis ApiGate::correction() const {
  return skew_ > kClockTrusted || skew_ < -kClockTrusted ? skew_ : Millis{0};
}

void ApiGate::launch(CallPtr call, Instant now) {
  auto credentials = credentials_.current();
  if (!credentials && credentials_.pending()) {  // they ran out just now, and new ones are being fetched
    ready_.push_front(std::move(call));
    return;
  }
  if (!credentials) return finish(std::move(call), std::move(credentials).error());
  if (credentials->generation == call->refused_generation) {
    Failure why = *call->last;  // no other credentials came
    return finish(std::move(call), std::move(why));
  }
  if (credentials->generation != reported_generation_) {
    reported_generation_ = credentials->generation;
    observer_.on_credentials(options_.profile, *credentials);
  }
  call->generation = credentials->generation;
  call->correction = correction();
  call->sent = now.mono;
  auto request =
      signed_request(call->request, *credentials, make_nonce(random_), now.wall + call->correction);
  if (!request) {
    return finish(std::move(call),
                  make_failure(Reason::credentials, "the credentials from " + credentials->origin +
                                                        " have no key id or no secret"));
  }
  request->route = options_.route;
  const MonoTime deadline = std::min(call->deadline, now.mono + options_.timeout);
  observer_.on_request(options_.profile);
  if (call->attempts > 0) observer_.on_retry(options_.profile);
  ++call->attempts;
  ++in_flight_;
  // std::function wants something that can be copied; the call itself is moved on when the answer is there.
  auto shared = std::make_shared<CallPtr>(std::move(call));
  transport_.start(std::move(*request), deadline,
                   [this, shared](HttpResult result) { complete(std::move(*shared), std::move(result)); });
}

void ApiGate::complete(CallPtr call, HttpResult result) {
  --in_flight_;
  observer_.on_answer(options_.profile, std::chrono::duration_cast<Millis>(clock_.mono() - call->sent));
  if (!result) {
    ApiError error = classify_transport(result.error().reason, std::move(result.error().detail));
    return handle(std::move(call), std::move(error), Millis{0});
  }
  learn_time(*result, call->sent);
  auto root = open_answer(*result);
  if (!root) return handle(std::move(call), std::move(root).error(), wait_hint(*result, clock_.wall()));
  governor_.on_success();
  retries_.earn();
  // Its slot is free: the next request need not wait until this answer has been made use of.
  pump(clock_.now());
  call->done(ApiAnswer{std::move(*root), server_time_, call->generation});
}

void ApiGate::learn_time(const HttpResponse& response, MonoTime sent) {
  server_time_ = parse_http_date(response.header("date"));
  if (!server_time_) return;
  // The header has whole seconds and was written while the answer was under way: the middle of both is the
  // best guess.
  constexpr Millis kHalfSecond{500};
  const auto half_way = std::chrono::duration_cast<Millis>(clock_.mono() - sent) / 2;
  skew_ = *server_time_ + kHalfSecond - (clock_.wall() - half_way);
  observer_.on_clock_skew(options_.profile, std::chrono::duration<double>(skew_).count());
}

void ApiGate::handle(CallPtr call, ApiError error, Millis hint) {
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
      return retry(std::move(call), wait);
    }
    case Remedy::retry_at_once:
      if (!may_try || !retries_.take()) break;
      return retry(std::move(call), Millis{0});
    case Remedy::new_credentials:
      credentials_.report_rejected(call->generation);
      if (call->refused_generation) break;
      call->refused_generation = call->generation;
      return retry(std::move(call), Millis{0});  // launch() sees whether other credentials came
    case Remedy::new_time: {
      // Worth it only if the answer told a time that is far from the one that was signed.
      const Millis off = correction() - call->correction;
      if (call->retimed || (off <= kClockTrusted && off >= -kClockTrusted)) break;
      call->retimed = true;
      return retry(std::move(call), Millis{0});
    }
  }
  Failure failure = *call->last;
  finish(std::move(call), std::move(failure));
}

void ApiGate::retry(CallPtr call, Millis wait) {
  earliest_deadline_ = std::min(earliest_deadline_, call->deadline);
  delayed_.emplace(clock_.mono() + wait, std::move(call));
}

void ApiGate::finish(CallPtr call, Failure failure) {
  call->done(Err(std::move(failure)));
}

}  // namespace sharedrift
