#include "config/config_loader.hpp"

#include "config/config_keys.hpp"
#include "support/files.hpp"
#include "support/test_data.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path kSamples = testing::test_data("config");

std::string joined(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  for (const Diagnostic& d : diagnostics)
    out += to_string(d) + "\n";
  return out;
}

std::set<std::filesystem::path> files(const std::filesystem::path& folder) {
  std::set<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yml") out.insert(entry.path());
  }
  return out;
}

Config accepted(const std::string& text) {
  ConfigResult config = parse_config(text, "config.yml");
  EXPECT_TRUE(config) << joined(config.error());
  return config ? *config : Config{};
}
Config sample(const std::string& name) {
  return accepted(testing::read_file(kSamples / "ok" / name));
}
std::string refused(const std::string& text) {
  const ConfigResult config = parse_config(text, "config.yml");
  return config ? "accepted" : joined(config.error());
}

const ProfileConfig& profile(const Config& config, std::string_view name) {
  const auto found = std::find_if(config.profiles.begin(), config.profiles.end(),
                                  [&name](const ProfileConfig& p) { return p.name == name; });
  EXPECT_NE(found, config.profiles.end()) << name;
  return found == config.profiles.end() ? config.profiles.at(0) : *found;
}

std::vector<std::string> texts(const std::vector<AccountId>& accounts) {
  std::vector<std::string> out;
  for (const AccountId& a : accounts)
    out.emplace_back(a.str());
  return out;
}

const std::string kSmallest = "images:\n  - id: m-1\n    allowed: [\"1715107400000001\"]\n";

}  // namespace

TEST(ConfigLoader, SaysExactlyWhatIsWrongWithEachBadSample) {
  const auto samples = files(kSamples / "bad");
  EXPECT_GE(samples.size(), 120U);
  for (const auto& sample : samples) {
    const ConfigResult config = parse_config(testing::read_file(sample), sample.filename());
    ASSERT_FALSE(config) << sample;
    std::filesystem::path expected = sample;
    EXPECT_EQ(joined(config.error()), testing::read_file(expected.replace_extension(".expected"))) << sample;
  }
}

TEST(ConfigLoader, TakesEachGoodSample) {
  const auto samples = files(kSamples / "ok");
  EXPECT_GE(samples.size(), 5U);
  for (const auto& sample : samples) {
    const ConfigResult config = parse_config(testing::read_file(sample), sample.filename());
    EXPECT_TRUE(config) << joined(config.error());
  }
}

TEST(ConfigLoader, SmallestFileHasAllDefaults) {
  const Config config = sample("smallest.yml");
  ASSERT_EQ(config.profiles.size(), 1U);
  EXPECT_EQ(config.profiles[0].name, "default");
  EXPECT_EQ(config.profiles[0].endpoint, "https://ens.aliyuncs.com");
  EXPECT_EQ(config.poll.stale_after, std::nullopt) << "three intervals, of each image its own";
  EXPECT_EQ(config.images[0]->stale_after, Millis{900'000});
  EXPECT_EQ(config.poll.confirm_clears, 2);
  ASSERT_EQ(config.images.size(), 1U);
  EXPECT_EQ(config.images[0]->profile, "default");
  EXPECT_EQ(config.images[0]->interval, Millis{300'000});
  EXPECT_THAT(texts(config.images[0]->allowed), ElementsAre("1715107400000001"));
  EXPECT_EQ(config.sha256, "528d6a5d63c758cb37c0d64aeed3afb4afc488ef56c004f293b1f1a9d2e0c3b4");
}

TEST(ConfigLoader, ReadsEverythingThatTheFaceOfTheProductShows) {
  const Config config = sample("everything.yml");
  const ProfileConfig& p = profile(config, "default");
  EXPECT_EQ(p.owner_account, AccountId::parse("1111111111111111"));
  EXPECT_EQ(p.credentials.source, CredentialKind::default_chain);
  EXPECT_EQ(p.ca_file, "/etc/ssl/private-ca.pem");
  EXPECT_EQ(p.proxy_url, "http://proxy.example:3128");
  EXPECT_EQ(p.timeout, Millis{10'000});
  EXPECT_EQ(config.account_names.at(*AccountId::parse("2222222222222222")), "partner-north");
  const ImagePolicy& image = *config.images.at(0);
  EXPECT_EQ(image.name + image.team + image.severity, "edge-baseedge-ospage");
  EXPECT_EQ(image.interval, Millis{60'000});
  EXPECT_THAT(texts(image.required), ElementsAre("2222222222222222"));
  EXPECT_THAT(texts(image.allowed), ElementsAre("2222222222222222"));
  ASSERT_EQ(image.exceptions.size(), 1U);
  EXPECT_EQ(image.exceptions[0].expires, *parse_rfc3339("2027-04-01T00:00:00Z"));
  EXPECT_EQ(image.exceptions[0].reason, "pilot with the lab");
}

TEST(ConfigLoader, ReadsRulesAndWhatIsIgnored) {
  const Config config = sample("discovery.yml");
  EXPECT_EQ(config.inventory, (InventoryConfig{true, Millis{600'000}}));
  ASSERT_EQ(config.discover.size(), 3U);
  const DiscoverRule& first = config.discover[0];
  EXPECT_EQ(first.name + " " + first.profile + " " + first.policy.team + " " + first.policy.severity,
            "edge-* default edge-os page");
  EXPECT_EQ(first.policy.interval, Millis{60'000});
  EXPECT_THAT(texts(first.policy.required), ElementsAre("4"));
  EXPECT_THAT(texts(first.policy.allowed), ElementsAre("2222222222222222"));
  EXPECT_EQ(config.discover[1].profile, "") << "of every profile";
  EXPECT_EQ(config.discover[1].policy.interval, Millis{300'000});
  EXPECT_EQ(config.discover[1].policy.exceptions.at(0).ticket, "SEC-12");
  EXPECT_EQ(config.discover[2].name, "") << "every name";
  ASSERT_EQ(config.ignored.size(), 1U);
  EXPECT_EQ(config.ignored[0], (IgnoredImage{*ImageId::parse("m-public-demo"), "jane", "a public demo"}));
}

TEST(ConfigLoader, InventoryIsOnAndAsOftenAsThePollsUnlessItIsGiven) {
  EXPECT_EQ(accepted(kSmallest).inventory, InventoryConfig{});
  EXPECT_EQ(accepted("poll: {interval: 10m}\n" + kSmallest).inventory.interval, Millis{600'000});
  EXPECT_EQ(accepted("inventory: {interval: 1h}\n" + kSmallest).inventory.interval, Millis{3'600'000});
  EXPECT_FALSE(sample("inventory-off.yml").inventory.enabled);
  EXPECT_TRUE(sample("rules-alone.yml").images.empty());
}

TEST(ConfigLoader, KeepsIdsAsTheDigitsOfTheFile) {
  const Config config = sample("spellings.yml");
  const ImagePolicy& image = *config.images.at(0);
  EXPECT_EQ(image.id.str(), "0123");
  EXPECT_EQ(image.name, "2027");
  EXPECT_EQ(image.team, "yes");
  EXPECT_THAT(texts(image.allowed), ElementsAre("0123456789012345", "0123456789012346",
                                                "12345678901234567890", "9007199254740993"));
  EXPECT_EQ(image.exceptions.at(0).account.str(), "0010");
  EXPECT_EQ(image.exceptions.at(0).expires, *parse_rfc3339("2026-11-24T01:20:44Z"));
  EXPECT_EQ(image.exceptions.at(0).reason, "folded text");
}

TEST(ConfigLoader, ReadsEverySourceOfCredentials) {
  const Config config = sample("profiles.yml");
  EXPECT_EQ(profile(config, "a-environment").credentials.source, CredentialKind::environment);
  EXPECT_EQ(profile(config, "b-static").credentials.file,
            "/run/credentials/share-drift-exporter.service/ens-key");
  EXPECT_EQ(profile(config, "b-static").requests_per_second, 0.5);
  EXPECT_EQ(profile(config, "c-cli").credentials.profile, "monitor");
  EXPECT_EQ(profile(config, "d-ini").credentials.source, CredentialKind::profile_ini);
  EXPECT_TRUE(profile(config, "e-ecs").credentials.disable_imdsv1);
  EXPECT_EQ(profile(config, "e-ecs").credentials.metadata_endpoint, "http://100.100.100.200");
  EXPECT_EQ(profile(config, "f-oidc").credentials.duration, Millis{3'600'000});
  EXPECT_THAT(profile(config, "f-oidc").credentials.policy, HasSubstr("ens:DescribeImageSharePermission"));
  const CredentialSpec& role = profile(config, "g-role").credentials;
  EXPECT_EQ(role.external_id, "a+b=c@d/e");
  ASSERT_EQ(role.from.size(), 1U);
  EXPECT_EQ(role.from.front().uri, "http://127.0.0.1:7002/creds?user=monitor");
  EXPECT_EQ(profile(config, "h-simulator").endpoint, "http://localhost:8080");
  EXPECT_EQ(profile(config, "h-simulator").sts_endpoint, "http://[::1]:8080");
  EXPECT_TRUE(profile(config, "h-simulator").proxy_from_environment);
  EXPECT_EQ(profile(config, "i-gateway").endpoint, "https://ens.gateway.example:8443");
  EXPECT_EQ(profile(config, "i-gateway").proxy_url, "http://joe:se%40same@proxy.example:3128");
}

TEST(ConfigLoader, StaleAfterFollowsTheIntervalOfTheImage) {
  const auto stale_after = [](const std::string& text) { return accepted(text).images.at(0)->stale_after; };
  EXPECT_EQ(stale_after("poll: {interval: 10m}\n" + kSmallest), Millis{1'800'000});
  EXPECT_EQ(stale_after(kSmallest + "    interval: 1h30m\n"), Millis{3 * 5'400'000});
  EXPECT_EQ(stale_after(kSmallest + "    interval: 1m\n"), Millis{180'000});
  const std::string given = "poll: {stale_after: 20m}\n" + kSmallest;
  EXPECT_EQ(stale_after(given + "    interval: 1m\n"), Millis{1'200'000}) << "what is given holds for all";
  EXPECT_EQ(stale_after(given + "    interval: 20m\n"), Millis{1'200'000});
  EXPECT_EQ(accepted("poll: {interval: 1s}\n" + kSmallest).images.at(0)->interval, Millis{1'000});
}

TEST(ConfigLoader, DefaultsHoldForWhatSaysNothingElse) {
  const Config config = sample("defaults.yml");
  const auto told = [](const ImagePolicy& p) {
    return p.team + " " + p.severity + " " + format_duration(p.interval) + " " +
           format_duration(p.stale_after);
  };
  EXPECT_EQ(told(*config.images.at(0)), "edge-os page 1h30m 4h30m");
  EXPECT_EQ(told(*config.images.at(1)), " ticket 2h 6h");
  EXPECT_EQ(told(config.discover.at(0).policy), "lab ticket 1m 3m");
  EXPECT_EQ(told(config.discover.at(1).policy), "edge-os page 1h30m 4h30m");
}

TEST(ConfigLoader, ExceptionThatHasEndedIsStillAFileThatIsUnderstood) {
  const Config config = accepted(
      kSmallest + "    exceptions: [{account: 1, expires: 2001-01-01, owner: o, ticket: t, reason: r}]\n");
  EXPECT_EQ(config.images.at(0)->exceptions.size(), 1U);
}

TEST(ConfigLoader, NeverRepeatsAPassword) {
  for (const std::string url :
       {"http://joe:sesame@proxy", "socks5://joe:sesame@proxy:1", "http://joe:ses/ame@proxy:1",
        "http://joe:ses ame@proxy:1", "joe:sesame@proxy", "http://joe:sesame@pro xy:1", "http://joe:sesame",
        "http://sesame:ses@ame@proxy:3", "http://joe:ses?ame@p:1/sesame"}) {
    const std::string at_proxy = refused("profiles: {default: {proxy_url: '" + url + "'}}\n" + kSmallest);
    const std::string at_endpoint = refused("profiles: {default: {endpoint: '" + url + "'}}\n" + kSmallest);
    EXPECT_THAT(at_proxy, HasSubstr("proxy_url: "));
    EXPECT_THAT(at_endpoint, HasSubstr("endpoint: "));
    EXPECT_EQ((at_proxy + at_endpoint).find("ses"), std::string::npos) << at_proxy << at_endpoint;
  }
}

TEST(ConfigLoader, NoPartOfAFileIsAFileThatSaysLess) {
  // Cut off anywhere, the file is refused or (where only the end of a number or a word is lost) still whole.
  const std::string whole = testing::read_file(kSamples / "ok" / "everything.yml");
  const std::size_t images = whole.find("    required:");
  std::size_t accepted_cuts = 0;
  for (std::size_t end = images; end < whole.size(); ++end) {
    const ConfigResult config = parse_config(whole.substr(0, end), "config.yml");
    accepted_cuts += config && config->images.at(0)->allowed.empty() ? 1U : 0U;
  }
  EXPECT_EQ(accepted_cuts, 0U);
}

TEST(ConfigLoader, AnAccountThatIsNamedTwiceIsAllowedOnce) {
  const Config config = accepted(
      "groups:\n  partners: [\"2222222222222222\", \"3333333333333333\"]\n  friends: [\"2222222222222222\"]\n"
      "images:\n  - id: m-1\n    allowed: [group:partners, group:friends]\n");
  ASSERT_EQ(config.images.size(), 1U);
  EXPECT_THAT(texts(config.images.front()->allowed), ElementsAre("2222222222222222", "3333333333333333"));
}

TEST(ConfigLoader, ARangeHoldsBothItsEnds) {
  struct Range {
    const char* key;
    std::vector<const char*> in;
    std::vector<const char*> out;
  };
  const std::vector<Range> ranges{
      {"poll: {interval: 1s, stale_after", {"1s", "365d"}, {"999ms", "366d"}},
      {"poll: {interval", {"1s", "15m"}, {"999ms", "29d"}},
      {"inventory: {interval", {"1s", "28d"}, {"999ms", "29d"}},
  };
  for (const Range& range : ranges) {
    for (const char* value : range.in)
      accepted(std::string(range.key) + ": " + value + "}\n" + kSmallest);
    for (const char* value : range.out)
      EXPECT_THAT(refused(std::string(range.key) + ": " + value + "}\n" + kSmallest), HasSubstr("expected"))
          << value;
  }
  for (const char* value : {"01", "1.0", "\"1\""})
    EXPECT_THAT(refused(std::string("poll: {confirm_clears: ") + value + "}\n" + kSmallest),
                HasSubstr("expected"));
}

template <class Section, std::size_t N>
void expect_limits(const std::string& before, const std::array<Key<Section>, N>& keys) {
  for (const Key<Section>& key : keys) {
    const bool duration = std::holds_alternative<Millis Section::*>(key.member);
    const auto file = [&](std::int64_t value) {
      return before + std::string(key.name) + ": " + std::to_string(value) + (duration ? "ms" : "") + "}\n" +
             kSmallest;
    };
    if (key.most == 0) continue;  // no number
    const auto shown = [&](std::int64_t value) {
      return duration ? format_duration(Millis{value}) : std::to_string(value);
    };
    const bool rate = std::holds_alternative<double Section::*>(key.member);
    const std::string range = " from " + (rate ? "0.01" : shown(key.least)) + " to " + shown(key.most);
    accepted(file(key.least));
    accepted(file(key.most));
    EXPECT_THAT(refused(file(key.least - 1)), HasSubstr(range)) << key.name;
    EXPECT_THAT(refused(file(key.most + 1)), HasSubstr(range)) << key.name;
  }
}

TEST(ConfigLoader, APlainKeyTakesBothItsLimitsAndNothingBeyond) {
  expect_limits("poll: {", kPollMembers);
  expect_limits("profiles:\n  default: {credentials: {source: environment}, ", kProfileMembers);
  const auto with_rate = [](const std::string& rate) {
    return "profiles:\n  default: {credentials: {source: environment}, requests_per_second: " + rate + "}\n" +
           kSmallest;
  };
  accepted(with_rate("0.01"));
  EXPECT_THAT(refused(with_rate("0.009")), HasSubstr("expected"));
}

TEST(ConfigLoader, AnArnIsWholeOrRefused) {
  const auto with = [](const std::string& arn) {
    return "profiles:\n  default:\n    credentials: {source: ram_role, role_arn: \"" + arn + "\"}\n" +
           kSmallest;
  };
  accepted(with("acs:ram::1715107400000001:role/x"));
  for (const char* arn :
       {"acs:ram::1715107400000001:role/", "acs:ram::1715107400000001:role",
        "acs:ram::1715107400000001:user/x", "acs:ram:1715107400000001:role/x", "acs:ram::role/x",
        "acs:sts::1715107400000001:role/x", "acs:ram::1715107400000001/role/x"})
    EXPECT_THAT(refused(with(arn)), HasSubstr("is not the ARN of a role")) << arn;
}

}  // namespace sharedrift
