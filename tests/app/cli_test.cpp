#include "app/cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Result<Options, CliExit> parse(const std::vector<std::string>& arguments) {
  return parse_command_line(arguments, "drift-2");
}

TEST(Cli, RunIsTheDefaultWithPrometheusSpelling) {
  const auto options = parse({"--config.file=/x.yml", "--web.listen-address=:1", "--web.listen-address",
                              "[::1]:2", "--log.format=json", "--log.level=warn", "--web.enable-lifecycle"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->command, Command::run);
  EXPECT_EQ(options->config_files, std::vector<std::string>{"/x.yml"});
  ASSERT_EQ(options->listen_addresses.size(), 2U);
  EXPECT_EQ(options->listen_addresses[0].port, 1);
  EXPECT_EQ(options->listen_addresses[1].host, "::1");
  EXPECT_EQ(options->log_format, LogFormat::json);
  EXPECT_EQ(options->log_level, Level::warn);
  EXPECT_TRUE(options->enable_lifecycle);
  EXPECT_EQ(options->max_requests, 40);
  EXPECT_EQ(options->telemetry_path, "/metrics");
}

TEST(Cli, TheExternalUrlGivesNameAndPrefixAsInPrometheus) {
  const auto of = [](const std::vector<std::string>& arguments) {
    const auto options = parse(arguments);
    if (!options) return options.error().text;
    return (options->external_url ? options->external_url->origin() : "") + " " + options->route_prefix;
  };
  const std::string url = "--web.external-url=https://Monitor.example:8443/share-drift/";
  EXPECT_EQ(of({}), " ");
  EXPECT_EQ(of({url}), "https://monitor.example:8443 /share-drift");
  EXPECT_EQ(of({url, "--web.route-prefix=/"}), "https://monitor.example:8443 ");
  EXPECT_EQ(of({"--web.external-url=http://monitor.example", "--web.route-prefix=a/b//"}),
            "http://monitor.example /a/b");
  for (const char* bad : {"--web.external-url=monitor.example/x", "--web.external-url=ftp://monitor.example",
                          "--web.external-url=https://u:p@monitor.example", "--web.external-url=https://m/?x",
                          "--web.route-prefix=/a?b", "--web.route-prefix=/a//b"}) {
    EXPECT_THAT(of({bad}), HasSubstr("must be")) << bad;
  }
}

TEST(Cli, RunMayBeSpelledOut) {
  const auto options = parse({"run", "--config.file", "/y.yml", "--config.check"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->command, Command::run);
  EXPECT_EQ(options->config_files, std::vector<std::string>{"/y.yml"});
  EXPECT_TRUE(options->config_check);
}

TEST(Cli, AConfigurationMayBeSeveralFiles) {
  using Files = std::vector<std::string>;
  EXPECT_EQ(parse({"--config.file=/a.yml", "--config.file", "/b"})->config_files, (Files{"/a.yml", "/b"}));
  EXPECT_EQ(config_name(*parse({"check", "--config.file=/a.yml", "--config.file=/b"})), "/a.yml, /b");
  EXPECT_EQ(parse({"lint"})->config_files, Files{"/etc/share-drift-exporter/config.yml"});
  EXPECT_EQ(parse({"--config.auto-reload-interval=5s"})->auto_reload, std::nullopt) << "it was not enabled";
  EXPECT_EQ(parse({"--config.enable-auto-reload"})->auto_reload, Millis{30'000});
  EXPECT_EQ(parse({"--config.enable-auto-reload", "--config.auto-reload-interval=5s"})->auto_reload,
            Millis{5'000});
  EXPECT_FALSE(parse({})->trust_file_mode);
  EXPECT_TRUE(parse({"--config.trust-file-mode"})->trust_file_mode);
}

TEST(Cli, EveryCommandParses) {
  EXPECT_EQ(parse({"check", "--image", "m-1", "--image", "m-2", "--format=sarif"})->images.size(), 2U);
  EXPECT_EQ(parse({"check", "--format=prometheus"})->format, OutputFormat::prometheus);
  EXPECT_TRUE(parse({"lint", "--online"})->online);
  EXPECT_TRUE(parse({"lint", "--no-files"})->no_files);
  EXPECT_EQ(parse({"lint", "--web.config.file=w.yml"})->web_config_file, "w.yml");
  EXPECT_EQ(parse({"doctor", "--report=/r.json", "--profile", "a"})->report_file, "/r.json");
  EXPECT_EQ(parse({"doctor", "--image=m-1"})->images.size(), 1U);
  EXPECT_EQ(parse({"baseline"})->command, Command::baseline);
  EXPECT_TRUE(parse({"baseline", "--all"})->all);
  EXPECT_EQ(parse({"plan"})->command, Command::plan);
  EXPECT_EQ(parse({"history", "m-1", "--storage.path=/s"})->images.size(), 1U);
}

TEST(Cli, HistoryTakesADayATimeOrAnAge) {
  const auto since = [](const std::string& text) { return parse({"history", "--since", text})->since; };
  const WallTime day{Millis{1'795'478'400'000}};
  EXPECT_EQ(std::get<WallTime>(since("2026-11-24")), day);
  EXPECT_EQ(std::get<WallTime>(since("2026-11-24T01:00:00+01:00")), day);
  EXPECT_EQ(std::get<Millis>(since("1h30m")), std::chrono::minutes{90});
  const auto plain = parse({"history"});
  EXPECT_EQ(plain->since.index(), 0U);
  EXPECT_EQ(plain->limit, 1000);
  EXPECT_EQ(plain->format, OutputFormat::table);
  EXPECT_EQ(parse({"history", "--format=logfmt", "--limit=0"})->format, OutputFormat::logfmt);
}

TEST(Cli, BadUsageIsCodeTwoWithARemedy) {
  for (const std::vector<std::string>& bad : {std::vector<std::string>{"--nonsense"},
                                              {"check", "--format=xml"},
                                              {"--log.level=loud"},
                                              {"baseline", "--all", "--image=m-1"},
                                              {"--config.auto-reload-interval=30"},
                                              {"--config.auto-reload-interval=500ms"},
                                              {"history", "a", "b"},
                                              {"history", "--since=yesterday"},
                                              {"history", "--limit=-1"},
                                              {"history", "--format=sarif"},
                                              {"check", "--format=logfmt"},
                                              {"--web.max-requests=-1"},
                                              {"--web.telemetry-path="},
                                              {"--web.telemetry-path=metrics"},
                                              {"--web.telemetry-path=/"},
                                              {"--web.telemetry-path=/config"},
                                              {"--web.telemetry-path=/api/v1/images/m-1"},
                                              {"--web.telemetry-path=/metrics?x"},
                                              {"--web.listen-address=nonsense"},
                                              {"--web.listen-address=:65536"},
                                              {"--web.listen-address=::1:9"},
                                              {"check", "--image", "m/1"},
                                              {"--shard.index=3", "--shard.count=3"},
                                              {"--shard.index=x"},
                                              {"frobnicate"},
                                              {"--shard.count=0"}}) {
    const auto options = parse(bad);
    ASSERT_FALSE(options) << bad.front();
    EXPECT_EQ(options.error().code, 2) << bad.front();
    EXPECT_THAT(options.error().text, HasSubstr("--help"));
  }
}

TEST(Cli, WhatFollowsAnUnknownFlagIsNotRepeated) {
  const std::vector<std::vector<std::string>> tries{
      {"--secret=hush"}, {"--secret", "hush"}, {"run", "--secret=hush"}, {"check", "--secret", "hush"}};
  for (const std::vector<std::string>& arguments : tries) {
    const auto parsed = parse_command_line(arguments, "host");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, 2);
    EXPECT_NE(parsed.error().text.find("--secret"), std::string::npos) << parsed.error().text;
    EXPECT_EQ(parsed.error().text.find("hush"), std::string::npos) << parsed.error().text;
  }
}

TEST(Cli, ANearMissIsToldWhatItMayHaveBeenMeantFor) {
  const auto told = [](const std::vector<std::string>& arguments) { return parse(arguments).error().text; };
  EXPECT_THAT(told({"--config-file=x.yml"}), HasSubstr(R"(did you mean "--config.file"?)"));
  EXPECT_THAT(told({"--web.listen-adress", ":80"}), HasSubstr(R"(did you mean "--web.listen-address"?)"));
  EXPECT_THAT(told({"check", "--fromat=json"}), HasSubstr(R"(did you mean "--format"?)"));
  EXPECT_THAT(told({"hsitory"}), HasSubstr(R"(did you mean "history"?)"));
  EXPECT_THAT(told({"chek", "--image", "m-1"}), HasSubstr(R"(did you mean "check"?)"));
  EXPECT_THAT(told({"--frobnicate"}), Not(HasSubstr("did you mean")));
  EXPECT_THAT(told({"check", "lint"}), Not(HasSubstr("did you mean")));
}

TEST(Cli, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(parse({"--help"}).error().code, 0);
  EXPECT_THAT(parse({"--help"}).error().text, HasSubstr("--web.listen-address"));
  EXPECT_THAT(parse({"check", "--help"}).error().text, HasSubstr("--format"));
  EXPECT_THAT(parse({"--version"}).error().text, HasSubstr("share-drift-exporter 0."));
}

TEST(Cli, TheShardMayComeFromTheHostName) {
  EXPECT_EQ(parse({"--shard.index=auto", "--shard.count=3"})->shard_index, 2);
  EXPECT_FALSE(parse({"--shard.index=auto", "--shard.count=2"}));
  EXPECT_FALSE(parse_command_line({"--shard.index=auto", "--shard.count=2"}, "host"));
  for (const char* other :
       {"exporter-7d9f8b6c5d-xqzb2", "exporter2", "2", "exporter-", "exporter-2.example", ""})
    EXPECT_FALSE(parse_command_line({"--shard.index=auto", "--shard.count=9"}, other)) << other;
}

}  // namespace
}  // namespace sharedrift
