#include "credentials/keeper_bench.hpp"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using testing::CredentialMachine;
using testing::kKey1;
using testing::kKey2;

TEST(ThreadedSource, FetchesOnItsThreadOnceAndTellsWhenItIsDone) {
  CredentialMachine machine;
  std::mutex mutex;
  std::condition_variable done;
  int changes = 0;
  machine.web = [&](const HttpRequest& /*request*/) {
    return CredentialMachine::answer(200, machine.key_json("STS.1", 1h));
  };
  CredentialSpec options;
  options.source = CredentialKind::credentials_uri;
  options.uri = "http://127.0.0.1:7/";
  testing::CountingObserver observer;
  const auto source =
      make_credential_source(options, machine.world(), "default", {&observer, [&] {
                                                                     const std::lock_guard lock(mutex);
                                                                     ++changes;
                                                                     done.notify_all();
                                                                   }});
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(done.wait_for(lock, 30s, [&] { return changes == 1; }));
  }
  EXPECT_FALSE(source->pending());
  EXPECT_EQ(source->current()->access_key_id, "STS.1");
  EXPECT_EQ(machine.requests.size(), 1U);
  EXPECT_EQ(observer.generation, 1U);
}

TEST(ThreadedSource, EndsAtOnceWhileACallIsUnderWay) {
  CredentialMachine machine;
  std::mutex mutex;
  std::condition_variable_any called;
  bool inside = false;
  CredentialWorld world = machine.world();
  world.fetch = [&](const HttpRequest& /*request*/, Millis /*timeout*/, std::stop_token stop) -> HttpResult {
    std::unique_lock lock(mutex);
    inside = true;
    called.notify_all();
    called.wait(lock, std::move(stop), [] { return false; });
    return CredentialMachine::refused();
  };
  CredentialSpec options;
  options.source = CredentialKind::ecs_ram_role;
  auto source = make_credential_source(options, world, "default", {});
  EXPECT_TRUE(source->pending());
  EXPECT_FALSE(source->current());
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(called.wait_for(lock, 30s, [&] { return inside; }));
  }
  source.reset();
}

TEST(ThreadedSource, NeedsNoThreadForFiles) {
  CredentialMachine machine;
  CredentialSpec options;
  options.source = CredentialKind::static_file;
  options.file = machine.write("key", kKey1);
  const auto source = make_credential_source(options, machine.world(), "default", {});
  EXPECT_EQ(source->current()->access_key_id, "LTAI1");
  source->report_rejected(1);
  EXPECT_FALSE(source->pending());
  machine.write("key", kKey2);
  EXPECT_EQ(source->current()->access_key_id, "LTAI2");
}

}  // namespace
}  // namespace sharedrift
