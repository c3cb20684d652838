#include "sim.hpp"

#include <gtest/gtest.h>

namespace sharedrift::simulator::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST(Control, ShowsTheStateWithoutSecrets) {
  Sim sim;
  const Answered state = sim.look("state");
  EXPECT_EQ(state.body["status"], "success");
  EXPECT_EQ(state.body["data"]["images"][0]["id"], kImage);
  EXPECT_THAT(state.body["data"]["images"][0]["accounts"], SizeIs(3));
  EXPECT_EQ(state.body["data"]["keys"][0]["id"], "ak");
  EXPECT_THAT(state.text, Not(HasSubstr("\"sk\"")));
  EXPECT_THAT(sim.look("state", {{"image", "m-none"}}).body["data"]["images"], SizeIs(0));
  EXPECT_EQ(sim.look("state", {{"imag", "x"}}).status, 400);
}

TEST(Control, IsForLoopbackAndNotForBrowsers) {
  Sim sim;
  ServerRequest request = Sim::bare("GET", "/_sim/state");
  request.remote_address = "192.0.2.1";
  EXPECT_EQ(sim.send(request).status, 403);
  request.remote_address = "::1";
  EXPECT_EQ(sim.send(request).status, 200);
  request.headers = {{"origin", "http://evil.example"}};
  EXPECT_EQ(sim.send(request).status, 403);
}

TEST(Control, RefusesWhatItDoesNotKnow) {
  Sim sim;
  EXPECT_EQ(sim.look("nothing").status, 404);
  EXPECT_EQ(sim.look("share").status, 405);
  EXPECT_EQ(sim.control("state").status, 405);
  const auto error = [&sim](const char* path, const json& body) {
    const Answered answer = sim.control(path, body);
    EXPECT_EQ(answer.status, 400) << path << body;
    EXPECT_EQ(answer.body["status"], "error");
    return answer.body["error"].get<std::string>();
  };
  EXPECT_THAT(error("faults", {{"kind", "earthquake"}}),
              HasSubstr("unknown kind 'earthquake'; known are: latency"));
  EXPECT_THAT(error("faults", {{"kind", "latency"}, {"milliseconds", 5}}),
              HasSubstr("unknown member 'milliseconds'; known are:"));
  EXPECT_THAT(error("faults", {{"kind", "latency"}, {"ms", -5}}), HasSubstr("integer from 0 to 600000"));
  EXPECT_THAT(error("faults", {{"kind", "shift"}, {"change", "jump"}}),
              HasSubstr("one of delete|insert|swap"));
  EXPECT_THAT(error("faults", {{"kind", "error"}}), HasSubstr("'code' is missing"));
  EXPECT_THAT(error("faults/clear", {{"id", 99}}), HasSubstr("no fault 99"));
  EXPECT_THAT(error("share", {{"image", "m-none"}, {"accounts", {"1"}}}), HasSubstr("no image 'm-none'"));
  EXPECT_THAT(error("share", {{"image", kImage}, {"accounts", {"x"}}}), HasSubstr("'x' is no account id"));
  EXPECT_THAT(error("share", {{"image", kImage}}), HasSubstr("'accounts' is missing"));
  EXPECT_THAT(error("images", {{"id", kImage}}), HasSubstr("exists already"));
  EXPECT_THAT(error("images", {{"id", "m/1"}}), HasSubstr("no image id"));
  EXPECT_THAT(error("keys/disable", {{"id", "none"}}), HasSubstr("no key 'none'"));
  EXPECT_THAT(error("keys/expire", {{"id", "ak"}}), HasSubstr("only a key with a token"));
  EXPECT_THAT(error("behaviour", {{"colour", "red"}}), HasSubstr("unknown member 'colour'"));
  EXPECT_THAT(error("reset", {{"now", true}}), HasSubstr("unknown member 'now'"));
  ServerRequest broken = Sim::bare("POST", "/_sim/share");
  broken.body = "{";
  EXPECT_EQ(sim.send(broken).status, 400);
}

TEST(Control, CreatesAndDeletesImages) {
  Sim sim;
  EXPECT_EQ(sim.control("images", {{"id", "m-2"}, {"accounts", {"7"}}, {"generated", 2}}).status, 200);
  EXPECT_EQ(sim.call("DescribeImageSharePermission", {{"ImageId", "m-2"}}).body["TotalCount"], 3);
  EXPECT_EQ(sim.control("images/delete", {{"id", "m-2"}}).status, 200);
  EXPECT_EQ(sim.call("DescribeSelfImages", {{"ImageId", "m-2"}}).body["TotalCount"], "0");
  EXPECT_EQ(sim.control("images", {{"id", "m-3"}, {"accounts", {"x"}}}).status, 400);
  EXPECT_EQ(sim.call("DescribeSelfImages", {{"ImageId", "m-3"}}).body["TotalCount"],
            "0");  // nothing half-made
}

TEST(Control, SharesGeneratedAccountsThatAreNotThereYet) {
  Sim sim;
  EXPECT_EQ(sim.control("share-generated", {{"image", kImage}, {"count", 5}}).body["data"]["added"], 5);
  EXPECT_EQ(sim.list().body["TotalCount"], 8);
  EXPECT_EQ(sim.control("unshare", {{"image", kImage}, {"all", true}}).body["data"]["removed"], 8);
  EXPECT_EQ(sim.control("share-generated", {{"image", kImage}, {"count", 1}, {"first", 77}}).status, 200);
  EXPECT_EQ(uids(sim.list().body).front(), "1715107400000077");
}

TEST(Control, RotatesKeysInPlaceAndBesideTheOld) {
  Sim sim;
  sim.control("keys/rotate", {{"id", "ak"}, {"secret", "new"}});
  EXPECT_EQ(sim.list().code(), "SignatureDoesNotMatch");
  EXPECT_EQ(sim.list({}, {.secret = "new"}).status, 200);
  const Answered made = sim.control("keys/rotate", {{"id", "ak"}, {"new_id", "ak2"}});
  const std::string secret = made.body["data"]["secret"];
  EXPECT_EQ(sim.list({}, {.secret = "new"}).code(), "InvalidAccessKeyId.Inactive");
  EXPECT_EQ(sim.list({}, {.key_id = "ak2", .secret = secret}).status, 200);
  sim.control("keys/delete", {{"id", "ak2"}});
  EXPECT_EQ(sim.list({}, {.key_id = "ak2", .secret = secret}).code(), "InvalidAccessKeyId.NotFound");
}

TEST(Control, ExpiresSessions) {
  Sim sim;
  sim.control("keys", {{"id", "STS.a"}, {"secret", "s"}, {"token", "t"}});
  EXPECT_EQ(sim.list({}, {.key_id = "STS.a", .secret = "s", .token = "t"}).status, 200);
  sim.control("keys/expire", {{"id", "STS.a"}});
  EXPECT_EQ(sim.list({}, {.key_id = "STS.a", .secret = "s", .token = "t"}).code(),
            "InvalidSecurityToken.Expired");
}

TEST(Control, KeepsAJournal) {
  Sim sim;
  sim.fault({{"kind", "total_count"}, {"count", 1}});
  sim.list({{"PageSize", "50"}});
  sim.list({{"PageSize", "0"}});
  sim.call("DescribeSelfImages");
  const json data = sim.look("requests", {{"limit", "2"}}).body["data"];
  EXPECT_EQ(data["total"], 3);
  EXPECT_EQ(data["by_action"]["DescribeImageSharePermission"], 2);
  EXPECT_EQ(data["by_key"]["ak"], 3);
  EXPECT_EQ(data["by_code"]["200"], 2);
  EXPECT_EQ(data["by_code"]["InvalidParameter.PageSize"], 1);
  ASSERT_THAT(data["requests"], SizeIs(2));
  EXPECT_EQ(data["requests"][0]["code"], "InvalidParameter.PageSize");
  const json first = sim.look("requests").body["data"]["requests"][0];
  EXPECT_EQ(first["image"], kImage);
  EXPECT_EQ(first["page_size"], "50");
  EXPECT_EQ(first["faults"], json::array({"total_count"}));
  sim.control("requests/clear");
  EXPECT_EQ(sim.look("requests").body["data"]["total"], 0);
}

TEST(Control, ResetsToTheScenario) {
  Sim sim;
  sim.control("unshare", {{"image", kImage}, {"all", true}});
  sim.control("keys/disable", {{"id", "ak"}});
  sim.fault({{"kind", "html"}});
  EXPECT_EQ(sim.control("reset").status, 200);
  EXPECT_EQ(sim.list().body["TotalCount"], 3);
}

TEST(Control, AddsAScenarioWhollyOrNotAtAll) {
  Sim sim;
  const json half = {{"images", {{{"id", "m-new"}}}}, {"keys", {{{"id", "no-secret"}}}}};
  EXPECT_EQ(sim.control("scenario", half).status, 400);
  EXPECT_EQ(sim.call("DescribeSelfImages", {{"ImageId", "m-new"}}).body["TotalCount"], "0");
  EXPECT_EQ(sim.control("scenario", {{"images", {{{"id", "m-new"}}}}}).status, 200);
  EXPECT_EQ(sim.call("DescribeSelfImages", {{"ImageId", "m-new"}}).body["TotalCount"], "1");
}

TEST(Control, DocumentsItsFaults) {
  Sim sim;
  const json kinds = sim.look("faults/kinds").body["data"];
  EXPECT_EQ(kinds[0]["kind"], "latency");
  EXPECT_EQ(kinds[0]["parameters"]["ms"]["default"], 1000);
}

TEST(Scenario, IsReadFromYamlAndJson) {
  const auto yaml = parse_scenario(
      "images:\n  - id: m-a\n    accounts: [0123, \"18446744073709551616\"]\n"
      "behaviour: {filter_by_aliyun_id: true}\nfleet: {images: 2}\n");
  ASSERT_TRUE(yaml.has_value()) << yaml.error();
  World world;
  FaultBoard faults;
  ASSERT_TRUE(load_scenario(world, faults, *yaml, WallTime{}).has_value());
  EXPECT_EQ(world.images().size(), 3U);
  EXPECT_EQ(world.find_image("m-a")->shared[0].str(), "0123");
  EXPECT_EQ(world.find_image("m-a")->shared[1].str(), "18446744073709551616");
  EXPECT_TRUE(world.behaviour.filter_by_aliyun_id);
  EXPECT_TRUE(parse_scenario("{\n\t\"images\": [\n {\"id\": \"m-a\"}\n]}").has_value());
}

TEST(Scenario, SaysWhatIsWrong) {
  const auto wrong = [](const char* text) {
    const auto parsed = parse_scenario(text);
    if (!parsed) return parsed.error();
    World world;
    FaultBoard faults;
    const auto loaded = load_scenario(world, faults, *parsed, WallTime{});
    return loaded ? std::string("accepted") : loaded.error();
  };
  EXPECT_THAT(wrong("images: [a"), HasSubstr("line"));
  EXPECT_THAT(wrong("- a"), HasSubstr("must be a mapping"));
  EXPECT_THAT(wrong("fleet: {images: 1}\nfleet: {images: 2}"),
              HasSubstr("line 2, column 1: duplicate key 'fleet'"));
  EXPECT_THAT(wrong("a: &a [*a]"), HasSubstr("too deep"));
  EXPECT_THAT(wrong("pictures: []"), HasSubstr("unknown member 'pictures'"));
  EXPECT_THAT(wrong("images: {id: x}"), HasSubstr("'images' must be a list"));
  EXPECT_THAT(wrong("images: [{id: x, size: 3}]"), HasSubstr("image 'x': unknown member 'size'"));
  EXPECT_THAT(wrong("keys: [{id: x}]"), HasSubstr("key 'x': 'secret' is missing"));
  EXPECT_THAT(wrong("oidc: [{provider_arn: x}]"), HasSubstr("either 'token' or 'token_file'"));
}

}  // namespace
}  // namespace sharedrift::simulator::testing
