#include "poll/watch.hpp"

#include "config/config_loader.hpp"
#include "core/ids.hpp"

#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

/// Nothing in it is a default, so that each line of the wiring shows.
Config a_config() {
  auto config = parse_config(
      "profiles: {one: {endpoint: 'http://127.0.0.1:1', credentials: {source: environment}},\n"
      "           two: {endpoint: 'http://127.0.0.1:2', credentials: {source: environment}}}\n"
      "poll: {interval: 7m, stale_after: 50m, confirm_clears: 3, mass_change_percent: 33, spread: none}\n"
      "accounts: {'1111111111111111': {name: partner}}\n"
      "images:\n"
      "  - {id: m-a, profile: one, allowed: [], interval: 2m}\n"
      "  - {id: m-b, profile: two, allowed: []}\n"
      "discover: [{name: 'edge-*', profile: one, allowed: []}]\n"
      "ignore: [{id: m-c, owner: jane, reason: test}]\n",
      "config.yml");
  if (!config) throw std::runtime_error(to_string(config.error().front()));
  return std::move(*config);
}

TEST(Watch, AllThatAConfigurationSaysOfWatchingArrives) {
  const Config config = a_config();
  const WatchList watch = watch_list(config, Shard{});
  EXPECT_EQ(watch.images, config.images);
  EXPECT_EQ(watch.account_names, config.account_names);
  EXPECT_THAT(watch.account_names, SizeIs(1));
  EXPECT_EQ(static_cast<const PollConfig&>(watch), config.poll);
  EXPECT_EQ(watch.config_hash, config.sha256.substr(0, 12));
}

TEST(Watch, ANameThatIsTheIdIsNone) {
  Config config = a_config();
  ImagePolicy named = *config.images.front();
  named.name = named.id.str();
  config.images.front() = std::make_shared<const ImagePolicy>(named);
  named.id = *ImageId::parse("m-found");
  const auto discovered = std::make_shared<const ImagePolicy>(named);
  const WatchList watch = watch_list(config, Shard{}, {discovered});
  EXPECT_EQ(watch.images.front()->name, "");
  EXPECT_EQ(watch.images.back()->name, "m-a") << "that of another image is one";
}

TEST(Watch, AnAccountsNameThatIsItsIdIsNone) {
  const AccountId account = *AccountId::parse("1111111111111111");
  EXPECT_EQ(name_of(account, {{account, "partner"}}), "partner");
  EXPECT_EQ(name_of(account, {{account, "1111111111111111"}}), "");
  EXPECT_EQ(name_of(account, {}), "");
}

TEST(Watch, EachImageBelongsToOneShardDiscoveredOrNot) {
  Config config = a_config();
  const auto discovered = std::make_shared<const ImagePolicy>(ImagePolicy{*ImageId::parse("m-found")});
  std::size_t all = 0;
  for (int index = 0; index < 3; ++index) {
    const WatchList watch = watch_list(config, Shard{index, 3}, {discovered});
    for (const auto& policy : watch.images)
      EXPECT_EQ(shard_of(policy->id, 3), index);
    all += watch.images.size();
  }
  EXPECT_EQ(all, 3U);
}

TEST(Watch, AllThatAConfigurationSaysOfDiscoveryArrives) {
  const Config config = a_config();
  const Discovery::Setup setup = discovery_setup(config);
  EXPECT_EQ(setup.rules, config.discover);
  EXPECT_THAT(setup.rules, SizeIs(1));
  EXPECT_THAT(setup.configured, UnorderedElementsAre(*ImageId::parse("m-a"), *ImageId::parse("m-b")));
  EXPECT_THAT(setup.ignored, UnorderedElementsAre(*ImageId::parse("m-c")));
  EXPECT_THAT(setup.profiles, UnorderedElementsAre("one", "two"));
  EXPECT_EQ(setup.config, config.sha256.substr(0, 12));
  EXPECT_EQ(setup.gone_for, Millis{50 * 60'000});
}

TEST(Watch, EachImageIsScheduledByItsOwnInterval) {
  const Config config = a_config();
  const auto entries = schedule_entries(watch_list(config, Shard{}));
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].id, config.images[0]->id);
  EXPECT_EQ(entries[0].interval, Millis{2 * 60'000});
  EXPECT_EQ(entries[1].interval, Millis{7 * 60'000});
}

}  // namespace
}  // namespace sharedrift
