#pragma once

#include "aliyun/api_gate.hpp"
#include "api_answers.hpp"
#include "support/fakes.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sharedrift::testing {

/// Credentials that a test changes while they are in use.
class RotatingCredentials final : public CredentialSource {
 public:
  RotatingCredentials() { give(1); }
  void give(std::uint64_t generation) {
    Credentials key;
    key.access_key_id = "LTAI-" + std::to_string(generation);
    key.access_key_secret = Secret{"hush-" + std::to_string(generation)};
    key.generation = generation;
    key.origin = "test";
    now = std::move(key);
    waiting = false;
  }
  Result<Credentials, Failure> current() override {
    ++asked;
    if (on_asked) on_asked();
    if (now) return *now;
    Failure none;
    none.reason = Reason::credentials;
    none.detail = "nothing found anywhere";
    return Err(none);
  }
  void report_rejected(std::uint64_t generation) override {
    rejected.push_back(generation);
    if (on_rejected) on_rejected(generation);
  }
  [[nodiscard]] bool pending() const override { return waiting; }

  std::optional<Credentials> now;
  bool waiting = false;
  int asked = 0;
  std::function<void()> on_asked;
  std::vector<std::uint64_t> rejected;
  std::function<void(std::uint64_t)> on_rejected;
};

inline HttpResult good() {
  return answer(200, R"({"RequestId":"R"})");
}
inline HttpResult broken(Reason reason) {
  return Err(TransportError{reason, "what the transport says"});
}

/// An ApiGate in front of a scripted API.
class GateBench {
 public:
  using Script = std::function<ScriptedTransport::Reply(const HttpRequest&, std::size_t index)>;
  struct Outcome {
    std::optional<Result<ApiAnswer, Failure>> result;
    MonoTime when;
    int times = 0;
    [[nodiscard]] bool ok() const { return result && result->has_value(); }
    [[nodiscard]] Reason reason() const { return result.value().error().reason; }
  };

  explicit GateBench(Script answer_with, GateOptions options = unlimited())
      : script(std::move(answer_with)),
        transport(clock,
                  [this](const HttpRequest& request, std::size_t index) {
                    sent_at.push_back(clock.mono());
                    return script(request, index);
                  }),
        gate(std::move(options), transport, timers, credentials, clock, random, observer) {}

  static GateOptions unlimited() {
    GateOptions options;
    options.profile = "default";
    options.requests_per_second = 0;
    return options;
  }
  /// A script that answers everything alike.
  static Script always(HttpResult result, Millis latency = Millis{10}) {
    return [result = std::move(result), latency](const HttpRequest& /*request*/, std::size_t /*index*/) {
      return ScriptedTransport::Reply{result, latency};
    };
  }
  /// A script that answers in turn; the last answer stays.
  static Script in_turn(std::vector<HttpResult> results) {
    return [results = std::move(results)](const HttpRequest& /*request*/, std::size_t index) {
      return ScriptedTransport::Reply{results[std::min(index, results.size() - 1)]};
    };
  }

  std::shared_ptr<Outcome> call(Millis allowed = Millis{120'000}, const std::string& image = "m-1",
                                const void* poll = nullptr) {
    auto outcome = std::make_shared<Outcome>();
    outcomes.push_back(outcome);
    gate.call(
        {"https", "ens.example", "DescribeImageSharePermission", "2017-11-10",
         encode_parameters({{"ImageId", image}})},
        clock.mono() + allowed,
        [this, outcome](Result<ApiAnswer, Failure> result) {
          ++outcome->times;
          outcome->when = clock.mono();
          outcome->result.emplace(std::move(result));
        },
        poll);
    return outcome;
  }
  /// One turn of the poll loop: when nothing is due, the clock moves to `until` at most.
  void turn(MonoTime until) {
    gate.on_wake();
    timers.run_due(clock.mono());
    transport.run_once(std::min(timers.next(), until));
  }
  void run_for(Millis time) {
    const MonoTime until = clock.mono() + time;
    for (int turns = 0; clock.mono() < until; ++turns) {
      if (turns > kMostTurns) throw std::logic_error("the loop spins");
      turn(until);
    }
  }
  /// Until every call has ended, or an hour has passed.
  void run() {
    const MonoTime until = clock.mono() + std::chrono::hours{1};
    for (int turns = 0; clock.mono() < until && !over(); ++turns) {
      if (turns > kMostTurns) throw std::logic_error("the loop spins");
      turn(until);
    }
  }
  /// How many calls have ended.
  [[nodiscard]] std::size_t ended() const {
    return static_cast<std::size_t>(
        std::count_if(outcomes.begin(), outcomes.end(), [](const auto& one) { return one->times > 0; }));
  }
  [[nodiscard]] bool over() const { return ended() == outcomes.size(); }
  [[nodiscard]] Millis sent_after(std::size_t index) const {
    return std::chrono::duration_cast<Millis>(sent_at.at(index) - start);
  }

  ManualClock clock;
  const MonoTime start = clock.mono();
  SeededRandom random;
  CountingObserver observer;
  RotatingCredentials credentials;
  Script script;
  std::vector<MonoTime> sent_at;
  ScriptedTransport transport;
  TimerQueue timers;
  ApiGate gate;
  std::vector<std::shared_ptr<Outcome>> outcomes;

 private:
  static constexpr int kMostTurns = 100'000;
};

/// `Tue, 24 Nov 2026 09:20:44 GMT`
inline std::string http_date(WallTime when) {
  const std::time_t time = std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch()).count();
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 40> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text.data(), size};
}

}  // namespace sharedrift::testing
