#pragma once

#include "credentials/credential_world.hpp"
#include "credentials/keeper.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace sharedrift::testing {

/// A keeper on a scripted machine, driven by hand instead of by a thread.
struct KeeperBench {
  explicit KeeperBench(CredentialKind place) { options.source = place; }
  CredentialKeeper& keeper() {
    if (!keeper_) keeper_ = std::make_unique<CredentialKeeper>(options, world, "default", &observer);
    return *keeper_;
  }
  std::string id() {
    const auto got = keeper().current();
    return got ? got->access_key_id : "";
  }
  std::string error() {
    const auto got = keeper().current();
    return got ? "" : got.error().detail;
  }
  /// Lets the clock reach what is due, and does it.
  void next() {
    ASSERT_TRUE(keeper().due());
    const auto left = std::chrono::ceil<Millis>(*keeper().due() - machine.clock.mono());
    if (left > Millis{0}) machine.clock.advance(left);
    keeper().refresh({});
  }
  void serve_uri() {
    options.uri = "http://127.0.0.1:7/";
    machine.web = [this](const HttpRequest& /*request*/) {
      if (!up) return CredentialMachine::answer(503, "hush");
      return CredentialMachine::answer(
          200, machine.key_json("STS." + std::to_string(++served), std::chrono::hours{1}));
    };
  }

  CredentialMachine machine;
  CredentialWorld world = machine.world();
  CredentialSpec options;
  CountingObserver observer;
  bool up = true;
  int served = 0;

 private:
  std::unique_ptr<CredentialKeeper> keeper_;
};

inline constexpr const char* kKey1 = "access_key_id=LTAI1\naccess_key_secret=hush1\n";
inline constexpr const char* kKey2 = "access_key_id=LTAI2\naccess_key_secret=hush2\n";

}  // namespace sharedrift::testing
