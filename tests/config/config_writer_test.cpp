#include "config/config_writer.hpp"

#include "config/config_keys.hpp"
#include "config/config_loader.hpp"
#include "config_equality.hpp"
#include "support/fakes.hpp"
#include "support/files.hpp"
#include "support/test_data.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sharedrift {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Makes configurations that the loader could have made, of everything it may hold.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  Config config() {
    Config out;
    for (int i = 0, n = below(3) + 1; i < n; ++i)
      out.profiles.push_back(profile("p" + std::to_string(i)));
    out.poll.interval = Millis{1'000 * (1 + below(10'000)) + below(1'000)};
    if (chance()) out.poll.stale_after = out.poll.interval * (1 + below(5));
    out.poll.spread = chance() ? Spread::even : Spread::none;
    draw_members(kPollMembers, out.poll);
    for (int i = below(4); i > 0; --i)
      out.account_names.emplace(account(), word());
    out.inventory = {chance(), out.poll.interval};
    if (out.inventory.enabled) {
      out.inventory.interval = Millis{1'000 + below(1'000'000)};
      for (int i = below(3); i > 0; --i)
        out.discover.push_back(rule(out));
    }
    for (int i = below(3); i > 0; --i)
      out.ignored.push_back({*ImageId::parse("m-ignored-" + std::to_string(i)), word(), word()});
    for (int i = 0, n = below(4) + (out.discover.empty() ? 1 : 0); i < n; ++i)
      out.images.push_back(std::make_shared<const ImagePolicy>(image(out, i)));
    return out;
  }

 private:
  int below(int n) { return static_cast<int>(random_.next() % static_cast<std::uint64_t>(n)); }
  bool chance() { return below(2) == 0; }
  /// Any value within the limits of its row.
  template <class Section, std::size_t N>
  void draw_members(const std::array<Key<Section>, N>& keys, Section& out) {
    for (const Key<Section>& key : keys) {
      const auto number = [&] {
        const auto span = static_cast<std::uint64_t>(key.most - key.least + 1);
        return key.least + static_cast<std::int64_t>(random_.next() % span);
      };
      const auto draw = [&](auto member) {
        if constexpr (std::is_same_v<decltype(member), Millis Section::*>) {
          out.*member = Millis{number()};
        } else if constexpr (std::is_same_v<decltype(member), int Section::*>) {
          out.*member = static_cast<int>(number());
        } else if constexpr (std::is_same_v<decltype(member), double Section::*>) {
          out.*member = chance() ? 0 : 0.01 + static_cast<double>(below(1'000'000)) / 997.0;
        } else if constexpr (std::is_same_v<decltype(member), bool Section::*>) {
          out.*member = chance();
        } else if constexpr (std::is_same_v<decltype(member), std::string Section::*>) {
          if (chance()) out.*member = "/" + word();
        }
      };
      std::visit(draw, key.member);
    }
  }
  AccountId account() {
    std::string digits;
    for (int i = 1 + below(20); i > 0; --i)
      digits += static_cast<char>('0' + below(10));
    return *AccountId::parse(digits);
  }
  std::vector<AccountId> accounts() {
    std::vector<AccountId> out;
    for (int i = below(4); i > 0; --i)
      out.push_back(account());
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }
  /// Text that means something else to YAML, unless it is quoted well.
  std::string word() {
    static const std::vector<std::string> kParts{
        "a", "ü", "\"", "'", "\\", ": ",   " #", "- ",  "{", "}",   "[",   "]", "~", "&a", "*a",  "!b",
        "|", ">", "%",  "@", "`",  "null", "on", "0x1", "😀", "1e5", "\\n", "/", ",", "?",  "...", "---"};
    std::string out = "x";
    for (int i = below(6); i > 0; --i)
      out += kParts.at(static_cast<std::size_t>(below(static_cast<int>(kParts.size()))));
    return out;
  }
  CredentialSpec credentials(int depth) {
    CredentialSpec c;
    c.source = static_cast<CredentialKind>(below(9));
    const bool role = c.source == CredentialKind::ram_role || c.source == CredentialKind::oidc_role;
    switch (c.source) {
      case CredentialKind::static_file: c.file = "/" + word(); break;
      case CredentialKind::cli_profile:
      case CredentialKind::profile_ini: c.profile = word(); break;
      case CredentialKind::ecs_ram_role:
        c.role_name = "monitor";
        c.disable_imdsv1 = chance();
        break;
      case CredentialKind::oidc_role: c.oidc_token_file = "/" + word(); break;
      case CredentialKind::ram_role:
        if (depth < 3) c.from = {credentials(depth + 1)};
        break;
      case CredentialKind::credentials_uri: c.uri = "http://127.0.0.1:1/a*b"; break;
      case CredentialKind::default_chain:
      case CredentialKind::environment: break;
    }
    if (role) {
      c.role_arn = "acs:ram::1:role/" + word();
      if (chance()) c.policy = "{\"a\":\n \"" + std::string(chance() ? "ü" : "\\\\") + "\"}";
      if (chance()) c.duration = Millis{900'000 + below(1'000'000)};
    }
    return c;
  }
  ProfileConfig profile(const std::string& name) {
    ProfileConfig p;
    p.name = name;
    draw_members(kProfileMembers, p);
    if (p.allow_any_endpoint) p.endpoint = "https://e.example:" + std::to_string(1 + below(65535));
    if (chance()) p.owner_account = account();
    p.credentials = credentials(0);
    if (chance()) p.proxy_url = "http://proxy.example:1";
    p.proxy_from_environment = p.proxy_from_environment && p.proxy_url.empty();
    return p;
  }
  const std::string& profile_of(const Config& config) {
    return config.profiles.at(static_cast<std::size_t>(below(static_cast<int>(config.profiles.size())))).name;
  }
  DiscoverRule rule(const Config& config) {
    DiscoverRule out{"", "", policy(config, "discovered")};
    if (chance()) out.name = word();
    if (chance()) out.profile = profile_of(config);
    return out;
  }
  ImagePolicy image(const Config& config, int i) {
    ImagePolicy p = policy(config, "m-" + std::to_string(i));
    if (chance()) p.name = word();
    p.profile = profile_of(config);
    p.canary = chance();
    return p;
  }
  ImagePolicy policy(const Config& config, const std::string& id) {
    ImagePolicy p{*ImageId::parse(id)};
    if (chance()) p.team = word();
    if (chance()) p.severity = word();
    const Millis longest = config.poll.stale_after.value_or(Millis{100'000'000});
    p.interval = Millis{1'000 + below(static_cast<int>(longest.count()) - 999)};
    p.stale_after = stale_after_of(config.poll, p.interval);
    p.required = accounts();
    p.allowed = accounts();
    for (const AccountId& a : accounts())
      p.exceptions.push_back(
          {a, WallTime{Millis{1'795'000'000'000 + random_.next() % 1'000'000'000}}, word(), word(), word()});
    return p;
  }

  testing::SeededRandom random_;
};

}  // namespace

TEST(ConfigWriter, WritesWhatTheLoaderReadsAsTheSame) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Config config = Maker(seed).config();
    const std::string yaml = to_yaml(config);
    const ConfigResult again = parse_config(yaml, "written");
    ASSERT_TRUE(again) << told(again) << yaml;
    expect_same(config, *again, yaml);
    if (HasFailure()) return;
  }
}

TEST(ConfigWriter, WritesEverySampleAsTheSame) {
  const std::filesystem::path samples = testing::test_data("config/ok");
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(samples)) {
    ConfigResult config = parse_config(testing::read_file(entry.path()), "sample");
    ASSERT_TRUE(config) << entry.path() << told(config);
    for (ProfileConfig& p : config->profiles) {  // what is masked cannot come back
      if (p.proxy_url.find('@') != std::string::npos) p.proxy_url = "http://***@proxy.example:3128";
      if (!p.credentials.external_id.empty()) p.credentials.external_id = "masked";
      p.credentials.from.clear();
    }
    const std::string yaml = to_yaml(*config);
    const ConfigResult again = parse_config(yaml, "written");
    ASSERT_TRUE(again) << told(again) << yaml;
    expect_same(*config, *again, yaml);
    ++seen;
  }
  EXPECT_GE(seen, 5U);
}

TEST(ConfigWriter, MasksWhatAnAddressMayHide) {
  Config config;
  config.profiles.emplace_back().name = "default";
  config.profiles[0].proxy_url = "http://joe:sesame@proxy.example:3128";
  config.profiles[0].credentials.source = CredentialKind::credentials_uri;
  config.profiles[0].credentials.uri = "http://127.0.0.1:7002/creds?token=sesame";
  config.profiles[0].credentials.external_id = "sesame";
  const std::string yaml = to_yaml(config);
  EXPECT_THAT(yaml, HasSubstr("external_id: \"masked\"\n"));
  EXPECT_THAT(yaml, HasSubstr("proxy_url: \"http://***@proxy.example:3128\"\n"));
  EXPECT_THAT(yaml, HasSubstr("uri: \"http://127.0.0.1:7002/creds?***\"\n"));
  EXPECT_THAT(yaml, Not(HasSubstr("sesame")));
  EXPECT_THAT(yaml, Not(HasSubstr("joe")));
}

/// The keys that are plain members, with the defaults that the editor schema gives them.
template <class Section, std::size_t N>
std::string plain_members(const char* section, const std::string& indent,
                          const std::array<Key<Section>, N>& keys) {
  const auto schema = nlohmann::json::parse(
      testing::read_file(testing::test_data("../../config/share-drift-exporter.schema.json")));
  std::string out;
  for (const Key<Section>& key : keys) {
    const nlohmann::json& told = schema["$defs"][section]["properties"][std::string(key.name)];
    if (std::holds_alternative<std::monostate>(key.member) || !told.contains("default")) continue;
    const nlohmann::json& value = told["default"];
    out += indent + std::string(key.name) + ": " +
           (value.is_string() ? value.get<std::string>() : value.dump()) + "\n";
  }
  return out;
}

TEST(ConfigWriter, WritesForPeople) {
  const ConfigResult config = parse_config(
      "accounts: {\"2\": {name: north}}\nimages:\n  - id: m-1\n    allowed: [\"2\"]\n"
      "    exceptions: [{account: 3, expires: 2027-03-31, owner: jane, ticket: SEC-12, reason: pilot}]\n",
      "c.yml");
  ASSERT_TRUE(config);
  EXPECT_EQ(to_yaml(*config), "# sha256 of the file: " + config->sha256 +
                                  "\n"
                                  "profiles:\n"
                                  "  \"default\":\n"
                                  "    endpoint: \"https://ens.aliyuncs.com\"\n"
                                  "    credentials:\n"
                                  "      source: default\n"
                                  "    sts_endpoint: \"https://sts.aliyuncs.com\"\n" +
                                  plain_members("profile", "    ", kProfileMembers) +
                                  "poll:\n"
                                  "  interval: 5m\n"
                                  "  spread: even\n" +
                                  plain_members("poll", "  ", kPollMembers) +
                                  "accounts:\n"
                                  "  \"2\": {name: \"north\"}\n"
                                  "inventory:\n"
                                  "  interval: 5m\n"
                                  "images:\n"
                                  "  - id: \"m-1\"\n"
                                  "    profile: \"default\"\n"
                                  "    interval: 5m\n"
                                  "    required: []\n"
                                  "    allowed: [\"2\"]\n"
                                  "    exceptions:\n"
                                  "      - account: \"3\"\n"
                                  "        expires: \"2027-04-01T00:00:00.000Z\"\n"
                                  "        owner: \"jane\"\n"
                                  "        ticket: \"SEC-12\"\n"
                                  "        reason: \"pilot\"\n"
                                  "    canary: false\n");
}

}  // namespace sharedrift
