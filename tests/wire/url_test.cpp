#include "wire/url.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

TEST(Url, IsTakenApart) {
  const auto url = parse_url("HTTP://joe:Se%40same@[FD00::1]:3128/A?b=C#d");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->https);
  EXPECT_EQ(url->login, "joe:Se%40same@");
  EXPECT_EQ(url->host, "fd00::1");
  EXPECT_EQ(url->port, 3128);
  EXPECT_EQ(url->path, "/A?b=C#d");
  EXPECT_EQ(url->authority(), "[fd00::1]:3128");
  EXPECT_EQ(url->origin(), "http://[fd00::1]:3128");
  EXPECT_EQ(parse_url("https://Ens.aliyuncs.com?x")->origin(), "https://ens.aliyuncs.com");
}

TEST(Url, APasswordThatIsNotEscapedIsToldHow) {
  for (const auto& [url, hint] :
       {std::pair{"http://joe:Hash#Tag@proxy.example:3128", "in a user or password, write # as %23"},
        std::pair{"http://joe:se/same@proxy.example:3128", "in a user or password, write / as %2F"},
        std::pair{"http://joe:s?me@p@proxy.example:3128",
                  "in a user or password, write ? as %3F, @ as %40"}}) {
    const auto parsed = parse_url(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().hint, hint) << url;
    EXPECT_EQ(parsed.error().message.find("joe"), std::string::npos) << "may be a password";
  }
}

TEST(Url, LocalIsThisMachineAndNothingElse) {
  for (const std::string host : {"localhost", "127.0.0.1", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1"})
    EXPECT_TRUE(is_local(host)) << host;
  for (const std::string host : {"",
                                 "LOCALHOST",
                                 "localhost.",
                                 "localhost.example",
                                 "127.1",
                                 "0177.0.0.1",
                                 "127.0.0.01",
                                 "0x7f000001",
                                 "2130706433",
                                 "127.0.0.1.5",
                                 "127.0.0.256",
                                 "127.0.0.1.example",
                                 "0.0.0.0",
                                 "::",
                                 "::2",
                                 "[::1]",
                                 "::ffff:127.0.0.1",
                                 "::127.0.0.1",
                                 "10.0.0.1",
                                 "169.254.169.254",
                                 "100.100.100.200"}) {
    EXPECT_FALSE(is_local(host)) << host;
  }
  EXPECT_FALSE(is_local(std::string("127.0.0.1\0.example", 18)));
}

TEST(Url, MetadataIsOnTheLinkAndNothingElse) {
  for (const std::string host : {"100.100.100.200", "169.254.169.254", "169.254.0.0"})
    EXPECT_TRUE(is_metadata_address(host)) << host;
  for (const std::string host : {"100.100.100.201", "169.255.0.1", "169.254.169", "169.254.169.254.example",
                                 "127.0.0.1", "localhost", "::ffff:169.254.169.254", ""})
    EXPECT_FALSE(is_metadata_address(host)) << host;
  EXPECT_TRUE(may_carry_credentials(*parse_url("https://keys.example/x")));
  EXPECT_TRUE(may_carry_credentials(*parse_url("http://LOCALHOST/x")));
  EXPECT_TRUE(may_carry_credentials(*parse_url("http://169.254.170.2")));
  EXPECT_FALSE(may_carry_credentials(*parse_url("http://keys.example")));
}

TEST(Url, AnAuthorityIsCutInTwo) {
  struct Case {
    const char* text;
    const char* host;
    const char* port;  ///< null: none
    bool bracketed;
  };
  for (const Case& c : std::vector<Case>{{"a:1", "a", "1", false},
                                         {"a", "a", nullptr, false},
                                         {":1", "", "1", false},
                                         {"a:", "a", "", false},
                                         {"::1", "", ":1", false},
                                         {"[::1]:2", "::1", "2", true},
                                         {"[::1]", "::1", nullptr, true},
                                         {"[::1]2", "::1", "", true},
                                         {"[]:2", "", "2", true},
                                         {"[::1", "", nullptr, true},
                                         {"", "", nullptr, false}}) {
    const HostAndPort parts = split_authority(c.text);
    EXPECT_EQ(parts.host, c.host) << c.text;
    EXPECT_EQ(parts.port.has_value(), c.port != nullptr) << c.text;
    EXPECT_EQ(parts.port.value_or(""), c.port == nullptr ? "" : c.port) << c.text;
    EXPECT_EQ(parts.bracketed, c.bracketed) << c.text;
  }
}

}  // namespace
}  // namespace sharedrift
