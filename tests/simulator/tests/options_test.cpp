#include "simulator/options.hpp"

#include "simulator/load.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift::simulator {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using Texts = std::map<std::string, std::string>;

Result<Options, OptionsEnd> parse(std::vector<std::string> arguments, const Texts& environment = {},
                                  const Texts& files = {}) {
  const auto in = [](const Texts& texts) {
    return [&texts](const std::string& name) -> std::optional<std::string> {
      const auto it = texts.find(name);
      if (it == texts.end()) return std::nullopt;
      return it->second;
    };
  };
  return parse_options(std::move(arguments), in(environment), in(files));
}

World world_of(const Options& options) {
  World world;
  FaultBoard faults;
  const auto loaded = load_scenario(world, faults, options.scenario, WallTime{});
  EXPECT_TRUE(loaded.has_value());
  return world;
}

TEST(SimulatorOptions, WorkWithoutAny) {
  const auto options = parse({});
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->port, 0);
  World world = world_of(*options);
  EXPECT_EQ(world.find_key("simulator")->secret, Secret("simulator-secret"));
  EXPECT_NE(world.find_role_by_name("sim-role"), nullptr);
}

TEST(SimulatorOptions, TakeTheKeyFromFileOrEnvironment) {
  const Texts environment{{"ENS_SIMULATOR_ACCESS_KEY_SECRET", "from-env"}};
  EXPECT_EQ(world_of(*parse({"--access-key-id=k"}, environment)).find_key("k")->secret, Secret("from-env"));
  const Texts files{{"/f", "from-file\n"}};
  World world = world_of(*parse({"--access-key-id=k", "--access-key-secret-file=/f"}, environment, files));
  EXPECT_EQ(world.find_key("k")->secret, Secret("from-file"));
  EXPECT_EQ(world.find_key("simulator"), nullptr);
}

TEST(SimulatorOptions, AddToTheScenario) {
  const Texts files{{"/s", "images: [{id: m-a}]\nkeys: [{id: k, secret: s}]\n"}};
  const auto options = parse({"--scenario=/s", "--images=2", "--accounts=3", "--latency-ms=5"}, {}, files);
  ASSERT_TRUE(options.has_value());
  World world = world_of(*options);
  EXPECT_EQ(world.images().size(), 3U);
  EXPECT_EQ(world.find_image("m-sim-2")->shared.size(), 3U);
  EXPECT_EQ(world.keys().size(), 1U);
  EXPECT_EQ(options->scenario["faults"][0]["ms"], 5);
}

TEST(SimulatorOptions, RefuseWhatIsWrong) {
  const auto why = [](std::vector<std::string> arguments) {
    const auto options = parse(std::move(arguments), {}, {{"/bad", "images: [a"}});
    if (options) return std::string("accepted");
    EXPECT_EQ(options.error().exit_code, 2);
    return options.error().text;
  };
  EXPECT_THAT(why({"--colour=red"}), HasSubstr("--colour"));
  EXPECT_THAT(why({"--port=70000"}), HasSubstr("70000"));
  EXPECT_THAT(why({"--host=0.0.0.0"}), HasSubstr("loopback"));
  EXPECT_THAT(why({"--scenario=/none"}), HasSubstr("cannot read /none"));
  EXPECT_THAT(why({"--scenario=/bad"}), HasSubstr("/bad: "));
  EXPECT_THAT(why({"--access-key-id=k"}), HasSubstr("both its id and its secret"));
  EXPECT_THAT(why({"--tls-cert=c"}), HasSubstr("--tls-key"));
}

TEST(SimulatorOptions, Help) {
  const auto help = parse({"--help"});
  ASSERT_FALSE(help.has_value());
  EXPECT_EQ(help.error().exit_code, 0);
  EXPECT_THAT(help.error().text, HasSubstr("--scenario"));
}

}  // namespace
}  // namespace sharedrift::simulator
