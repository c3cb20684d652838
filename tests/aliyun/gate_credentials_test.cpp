#include "aliyun/api_gate.hpp"
#include "support/fakes.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

/// Credentials that come late, or turn out to have run out when they are asked for.
class SlowCredentials final : public CredentialSource {
 public:
  Result<Credentials, Failure> current() override {
    ++asked;
    if (there) {
      Credentials key;
      key.access_key_id = "ak";
      key.access_key_secret = Secret{"sk"};
      key.generation = 1;
      return key;
    }
    waiting = waiting || notices_when_asked;
    return Err(Failure{Reason::credentials, "not yet"});
  }
  void report_rejected(std::uint64_t /*generation*/) override {}
  [[nodiscard]] bool pending() const override { return waiting; }

  bool there = false;
  bool waiting = false;
  bool notices_when_asked = false;
  int asked = 0;
};

struct Gate {
  Gate() {
    for (int i = 0; i < 3; ++i)
      gate.call({"https", "ens.example", "Describe", "2017-11-10", {}},
                clock.mono() + std::chrono::seconds{60},
                [this](const Result<ApiAnswer, Failure>& answer) { answer ? ++answered : ++failed; });
  }
  void turn() {
    gate.pump(clock.now());
    while (transport.in_flight() > 0)
      transport.run_once(clock.mono() + std::chrono::seconds{1});
  }
  testing::ManualClock clock;
  testing::SeededRandom random;
  testing::CountingObserver observer;
  testing::ScriptedTransport transport{clock, [](const HttpRequest& /*request*/, std::size_t /*index*/) {
                                         HttpResponse response;
                                         response.status = 200;
                                         response.headers = {{"content-type", "application/json"}};
                                         response.body = "{}";
                                         return testing::ScriptedTransport::Reply{response};
                                       }};
  SlowCredentials credentials;
  ApiGate gate{GateOptions{"default", 0}, transport, credentials, clock, random, observer};
  int answered = 0;
  int failed = 0;
};

TEST(ApiGate, HoldsCallsWhileTheFirstCredentialsAreUnderWay) {
  Gate gate;
  gate.credentials.waiting = true;
  gate.turn();
  EXPECT_EQ(gate.credentials.asked, 0);
  EXPECT_EQ(gate.failed, 0);
  gate.credentials.waiting = false;
  gate.credentials.there = true;
  gate.turn();
  EXPECT_EQ(gate.answered, 3);
}

TEST(ApiGate, HoldsCallsWhenCredentialsTurnOutToHaveRunOut) {
  Gate gate;
  gate.credentials.notices_when_asked = true;
  gate.turn();
  EXPECT_EQ(gate.credentials.asked, 1);
  EXPECT_EQ(gate.failed, 0);
  EXPECT_TRUE(gate.transport.requests.empty());
  gate.credentials.waiting = false;
  gate.credentials.there = true;
  gate.turn();
  EXPECT_EQ(gate.answered, 3);
}

TEST(ApiGate, FailsCallsWhenThereAreNoCredentialsAndNoneAreComing) {
  Gate gate;
  gate.turn();
  EXPECT_EQ(gate.failed, 3);
  EXPECT_TRUE(gate.transport.requests.empty());
}

}  // namespace
}  // namespace sharedrift
