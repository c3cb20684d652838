#pragma once

#include "ports.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// In-memory twins of the ports: deterministic, and they remember what was asked of them.
namespace sharedrift::testing {

/// Time that moves only when it is told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime wall = WallTime{Millis{1'795'000'000'000}}) : wall_(wall) {}
  [[nodiscard]] MonoTime mono() const override { return mono_; }
  [[nodiscard]] WallTime wall() const override { return wall_; }
  bool sleep_until(MonoTime when, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    if (when > mono_) advance(std::chrono::duration_cast<Millis>(when - mono_));
    return true;
  }
  void advance(Millis by) {
    mono_ += by;
    wall_ += by;
  }
  /// The wall clock jumps, the steady one does not.
  void jump_wall(Millis by) { wall_ += by; }

 private:
  MonoTime mono_{std::chrono::hours{1}};
  WallTime wall_;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : state_(seed) {}
  std::uint64_t next() override {  // splitmix64
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_;
};

/// Answers each request after a latency on the ManualClock, by a script. run_once() moves the clock: to the
/// next answer, or to `until`.
class ScriptedTransport final : public HttpTransport {
 public:
  struct Reply {
    HttpResult result;
    Millis latency{10};
  };
  using Script = std::function<Reply(const HttpRequest&, std::size_t index)>;

  ScriptedTransport(ManualClock& clock, Script script) : clock_(clock), script_(std::move(script)) {}

  void start(HttpRequest request, MonoTime deadline, HttpDone done) override {
    Reply reply = script_(request, requests.size());
    requests.push_back(std::move(request));
    MonoTime when = clock_.mono() + reply.latency;
    if (when > deadline) {
      when = deadline;
      reply.result = Err(TransportError{Reason::timeout, "deadline passed"});
    }
    flying_.emplace(when, std::pair{std::move(reply.result), std::move(done)});
    max_in_flight = std::max(max_in_flight, flying_.size());
  }
  void run_once(MonoTime until) override {
    if (woken_.exchange(false)) return;
    if (flying_.empty() || flying_.begin()->first > until) {
      if (until == MonoTime::max()) throw std::logic_error("run_once would wait for ever");
      if (until > clock_.mono()) clock_.advance(ceil_ms(until - clock_.mono()));
      return;
    }
    auto node = flying_.extract(flying_.begin());
    if (node.key() > clock_.mono()) clock_.advance(ceil_ms(node.key() - clock_.mono()));
    node.mapped().second(std::move(node.mapped().first));
  }
  void wake() noexcept override { woken_ = true; }
  void cancel_all() override { flying_.clear(); }
  [[nodiscard]] std::size_t in_flight() const { return flying_.size(); }

  std::vector<HttpRequest> requests;
  std::size_t max_in_flight = 0;

 private:
  static Millis ceil_ms(MonoTime::duration d) { return std::chrono::ceil<Millis>(d); }
  ManualClock& clock_;
  Script script_;
  std::multimap<MonoTime, std::pair<HttpResult, HttpDone>> flying_;
  std::atomic<bool> woken_{false};
};

class FixedCredentials final : public CredentialSource {
 public:
  explicit FixedCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials, Failure> current() override { return credentials_; }
  void report_rejected(std::uint64_t generation) override { rejected.push_back(generation); }
  [[nodiscard]] bool pending() const override { return false; }
  std::vector<std::uint64_t> rejected;

 private:
  Credentials credentials_;
};

class CountingObserver final : public ApiObserver {
 public:
  void on_request(std::string_view /*profile*/) override { ++requests; }
  void on_answer(std::string_view /*profile*/, Millis /*took*/) override { ++answers; }
  void on_failure(std::string_view /*profile*/, Reason reason) override { ++failures[reason]; }
  void on_retry(std::string_view /*profile*/) override { ++retries; }
  void on_clock_skew(std::string_view /*profile*/, double seconds) override { skew = seconds; }
  void on_credentials(std::string_view /*profile*/, const Credentials& credentials) override {
    generation = credentials.generation;
  }
  void on_credentials_refresh_failed(std::string_view /*profile*/) override { ++refresh_failures; }
  int requests = 0;
  int answers = 0;
  int retries = 0;
  int refresh_failures = 0;
  double skew = 0;
  std::uint64_t generation = 0;
  std::map<Reason, int> failures;
};

}  // namespace sharedrift::testing
