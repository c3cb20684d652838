#include "web/web_config.hpp"

#include "support/files.hpp"
#include "support/test_data.hpp"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const std::filesystem::path kSamples = testing::test_data("web-config");

std::string told(const WebConfigResult& config) {
  std::string out;
  if (!config) {
    for (const Diagnostic& d : config.error())
      out += to_string(d) + "\n";
  }
  return out;
}

}  // namespace

TEST(WebConfig, SaysExactlyWhatIsWrongWithEachBadSample) {
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSamples / "bad")) {
    if (entry.path().extension() != ".yml") continue;
    const WebConfigResult config =
        parse_web_config(testing::read_file(entry.path()), entry.path().filename());
    ASSERT_FALSE(config) << entry.path();
    std::filesystem::path expected = entry.path();
    EXPECT_EQ(told(config), testing::read_file(expected.replace_extension(".expected"))) << entry.path();
    ++seen;
  }
  EXPECT_GE(seen, 24U);
}

TEST(WebConfig, ReadsEverything) {
  const WebConfigResult config =
      parse_web_config(testing::read_file(kSamples / "ok" / "everything.yml"), "/etc/x/web.yml");
  ASSERT_TRUE(config) << told(config);
  ASSERT_TRUE(config->tls);
  const WebTls& tls = *config->tls;
  EXPECT_EQ(tls.cert_file, "/etc/x/tls/server.crt");
  EXPECT_EQ(tls.key_file, "/etc/ssl/private/server.key");
  EXPECT_EQ(tls.client_ca_file, "/etc/x/tls/clients.crt");
  EXPECT_EQ(tls.client_auth, ClientAuth::require_and_verify);
  EXPECT_THAT(tls.client_allowed_sans, ElementsAre("prometheus.example", "10.0.0.1"));
  EXPECT_THAT(tls.ciphers, ElementsAre("ECDHE-RSA-AES256-GCM-SHA384"));
  EXPECT_THAT(tls.ciphers13, ElementsAre("TLS_AES_256_GCM_SHA384"));
  EXPECT_THAT(tls.curves, ElementsAre("X25519", "P-256"));
  EXPECT_FALSE(tls.prefer_server_ciphers);
  EXPECT_EQ(tls.min_version, TlsVersion::tls12);
  EXPECT_EQ(tls.max_version, TlsVersion::tls12);
  EXPECT_THAT(
      config->headers,
      ElementsAre(Pair("Content-Security-Policy", "default-src 'self'"), Pair("X-Frame-Options", "deny"),
                  Pair("X-Content-Type-Options", "nosniff"), Pair("X-XSS-Protection", "1; mode=block"),
                  Pair("Strict-Transport-Security", "max-age=31536000")));
  EXPECT_EQ(config->users.size(), 2U);
  EXPECT_EQ(config->users.at("prometheus").substr(0, 7), "$2y$10$");
}

TEST(WebConfig, AsksForNothingByDefault) {
  const WebConfigResult config =
      parse_web_config(testing::read_file(kSamples / "ok" / "nothing.yml"), "web.yml");
  ASSERT_TRUE(config) << told(config);
  EXPECT_FALSE(config->tls);
  EXPECT_THAT(config->headers, IsEmpty());
  EXPECT_THAT(config->users, IsEmpty());
  EXPECT_TRUE(parse_web_config("{}", "web.yml"));
}

TEST(WebConfig, TlsHasSafeDefaultsAndStaysInItsDirectory) {
  const WebConfigResult config =
      parse_web_config("tls_server_config: {cert_file: a, key_file: b}\n", "web.yml");
  ASSERT_TRUE(config) << told(config);
  EXPECT_EQ(config->tls->cert_file + config->tls->key_file, "ab");
  EXPECT_EQ(config->tls->client_auth, ClientAuth::none);
  EXPECT_EQ(config->tls->min_version, TlsVersion::tls12);
  EXPECT_EQ(config->tls->max_version, TlsVersion::tls13);
  EXPECT_TRUE(config->tls->prefer_server_ciphers);
}

TEST(WebConfig, TakesCertificatesAndKeysThemselvesInPlaceOfFiles) {
  const WebConfigResult config = parse_web_config(
      "tls_server_config:\n"
      "  cert: |\n    -----BEGIN CERTIFICATE-----\n    AAAA\n"
      "  key: |\n    -----BEGIN PRIVATE KEY-----\n    BBBB\n"
      "  client_auth_type: RequireAndVerifyClientCert\n"
      "  client_ca: |\n    -----BEGIN CERTIFICATE-----\n    CCCC\n",
      "web.yml");
  ASSERT_TRUE(config) << told(config);
  EXPECT_EQ(config->tls->cert, "-----BEGIN CERTIFICATE-----\nAAAA\n");
  EXPECT_EQ(config->tls->key, "-----BEGIN PRIVATE KEY-----\nBBBB\n");
  EXPECT_EQ(config->tls->client_ca, "-----BEGIN CERTIFICATE-----\nCCCC\n");
  EXPECT_EQ(config->tls->cert_file + config->tls->key_file + config->tls->client_ca_file, "");
}

TEST(WebConfig, LimitsTheRateWhereItIsTold) {
  const auto limit = [](const std::string& text) {
    const WebConfigResult config = parse_web_config("rate_limit: " + text + "\n", "web.yml");
    EXPECT_TRUE(config) << told(config);
    return std::pair(config->rate_limit.interval, config->rate_limit.burst);
  };
  EXPECT_EQ(limit("{interval: 2s, burst: 10}"), std::pair(Millis{2'000}, 10));
  EXPECT_EQ(limit("{interval: 1s}"), std::pair(Millis{1'000}, 1));
  EXPECT_EQ(limit("{interval: 0s, burst: 3}").first, Millis{0}) << "no limit, as in exporter-toolkit";
}

TEST(WebConfig, NoBeginningOfAFileOpensTheDoor) {
  const std::string whole = testing::read_file(kSamples / "ok" / "everything.yml");
  const std::string users = whole.substr(whole.find("basic_auth_users"));
  for (std::size_t end = 0; end < users.find("  grafana"); ++end) {
    const WebConfigResult config = parse_web_config(users.substr(0, end), "web.yml");
    EXPECT_TRUE(!config || config->users.size() == 1) << users.substr(0, end);
  }
}

}  // namespace sharedrift
