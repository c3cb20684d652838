#include "metrics/self_metrics.hpp"

#include "metrics/page_writer.hpp"
#include "support/exposition_parser.hpp"
#include "support/golden.hpp"

#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::ExpositionParser;
using testing::find_family;
using testing::samples_of;
using ::testing::SizeIs;

SelfMetrics::Sources fixed_sources(const StateHealth& state = {}) {
  return {[] {
            return LogCounts{{5, 4, 3, 2}, 1};
          },
          [] {
            return std::optional(ProcessStats{1.25, 20'000'000, 90'000'000, 1'795'000'000.25, 12, 4096, 5});
          },
          [state] { return state; }};
}
std::string text(const SelfMetrics& metrics, TextFormat format = TextFormat::prometheus) {
  std::string out;
  append_families(out, metrics.Collect(), format);
  return out + std::string(page_end(format));
}
std::vector<testing::ParsedFamily> parsed(const SelfMetrics& metrics) {
  return ExpositionParser::parse(text(metrics), false);
}
/// The value of the one sample whose labels contain `label` = `value`.
double value_of(const SelfMetrics& metrics, const std::string& name, const std::string& label = "",
                const std::string& value = "") {
  double found = std::nan("");
  for (const auto& family : parsed(metrics)) {
    for (const auto& sample : family.samples) {
      if (sample.name == name && sample.label(label) == value) {
        EXPECT_TRUE(std::isnan(found)) << "more than one";
        found = sample.value;
      }
    }
  }
  return found;
}

TEST(SelfMetrics, TellsWhichShardOfHowManyItIs) {
  const SelfMetrics only({"1.2.3", "abc"}, {});
  EXPECT_EQ(value_of(only, "share_drift_shard_ordinal"), 0);
  EXPECT_EQ(value_of(only, "share_drift_shards"), 1);
  const SelfMetrics third({"1.2.3", "abc", 2, 5}, {});
  EXPECT_EQ(value_of(third, "share_drift_shard_ordinal"), 2);
  EXPECT_EQ(value_of(third, "share_drift_shards"), 5);
}

TEST(SelfMetrics, EverythingKnowableIsThereFromTheStart) {
  SelfMetrics metrics({"1.2.3", "abc"}, fixed_sources());
  metrics.set_profiles({{"default", 5}});
  const auto page = parsed(metrics);
  EXPECT_THAT(samples_of(page, "share_drift_listing_failures_by_reason_total"), SizeIs(kAllReasons.size()));
  EXPECT_THAT(samples_of(page, "share_drift_api_failures_total"), SizeIs(kAllReasons.size()));
  EXPECT_THAT(samples_of(page, "share_drift_closed_by_reason_total"), SizeIs(kAllCloseReasons.size()));
  EXPECT_THAT(samples_of(page, "share_drift_http_requests_total"), SizeIs(kHttpPaths.size()));
  EXPECT_THAT(samples_of(page, "share_drift_log_lines_total"), SizeIs(4));
  for (const auto& family : page) {
    if (family.type != "counter" || family.name.starts_with("process_")) continue;
    if (family.name.starts_with("share_drift_log_lines")) continue;  // asked for, not counted here
    for (const auto& sample : family.samples)
      EXPECT_EQ(sample.value, 0) << family.name;
  }
  for (const char* unknown_yet :
       {"share_drift_credentials_info", "share_drift_credentials_expiry_timestamp_seconds",
        "share_drift_credentials_obtained_timestamp_seconds", "share_drift_clock_skew_seconds",
        "share_drift_config_info", "share_drift_config_last_reload_success_timestamp_seconds",
        "share_drift_state_last_write_timestamp_seconds"}) {
    EXPECT_EQ(find_family(page, unknown_yet), nullptr) << unknown_yet;
  }
}

TEST(SelfMetrics, CountsWhatItIsTold) {
  SelfMetrics metrics({"1", "r"}, {});
  metrics.set_profiles({{"default", 5}, {"other", 0}});
  Observation seen;
  seen.complete = true;
  seen.duration = Millis{1'500};
  metrics.on_listing(seen);
  seen.complete = false;
  seen.failure.reason = Reason::throttled;
  metrics.on_listing(seen);
  EXPECT_EQ(value_of(metrics, "share_drift_listing_duration_seconds_count"), 2);
  EXPECT_EQ(value_of(metrics, "share_drift_listing_failures_by_reason_total", "reason", "throttled"), 1);
  EXPECT_EQ(value_of(metrics, "share_drift_listing_failures_by_reason_total", "reason", "dns"), 0);
  EXPECT_EQ(value_of(metrics, "share_drift_listing_duration_seconds_sum"), 3);
  EXPECT_EQ(value_of(metrics, "share_drift_listing_duration_seconds_bucket", "le", "1.0"), 0);
  EXPECT_EQ(value_of(metrics, "share_drift_listing_duration_seconds_bucket", "le", "2.5"), 2);
  metrics.on_overruns(3);
  EXPECT_EQ(value_of(metrics, "share_drift_listing_overruns_total"), 3);

  metrics.on_request("other");
  metrics.on_retry("other");
  metrics.on_answer("other", Millis{40});
  metrics.on_failure("other", Reason::tls);
  metrics.on_credentials_refresh_failed("other");
  metrics.on_request("gone with a reload");
  EXPECT_EQ(value_of(metrics, "share_drift_api_requests_total", "profile", "other"), 1);
  EXPECT_EQ(value_of(metrics, "share_drift_api_requests_total", "profile", "default"), 0);
  EXPECT_EQ(value_of(metrics, "share_drift_api_retries_total", "profile", "other"), 1);
  EXPECT_EQ(value_of(metrics, "share_drift_api_request_duration_seconds_count", "profile", "other"), 1);
  EXPECT_EQ(value_of(metrics, "share_drift_credentials_refresh_failures_total", "profile", "other"), 1);
  EXPECT_EQ(value_of(metrics, "share_drift_api_budget_requests_per_second", "profile", "default"), 5);

  metrics.on_http_request("/metrics", 200);
  metrics.on_http_request("/metrics", 503);
  metrics.on_http_request("/whatever?\n", 404);
  metrics.on_http_request("/", -7);
  EXPECT_EQ(value_of(metrics, "share_drift_http_requests_total", "code", "503"), 1);
  EXPECT_EQ(value_of(metrics, "share_drift_http_requests_total", "code", "404"), 1);
  EXPECT_EQ(value_of(metrics, "share_drift_http_requests_total", "code", "other"), 1);
}

TEST(SelfMetrics, TellsOfTheInventoryWhatIsKnown) {
  SelfMetrics metrics({"1", "r"}, {});
  metrics.set_profiles({{"default", 5, Millis{60'000}}, {"off", 5}});
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_complete", "profile", "default"), 0);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_last_complete_timestamp_seconds"), 0);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_interval_seconds"), 60)
      << "and none of a profile that walks none";
  EXPECT_EQ(find_family(parsed(metrics), "share_drift_inventory_unwatched_images"), nullptr)
      << "a 0 would be a claim";
  InventoryView view{4, 2, 0};
  view.left_out = 1;
  view.last_complete = WallTime{Millis{2'000}};
  metrics.on_inventory("default", view);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_images"), 4);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_unwatched_images"), 2);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_ignored_images"), 0);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_left_out_images"), 1);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_complete"), 1);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_last_complete_timestamp_seconds"), 2);
  view.failure = make_failure(Reason::forbidden, "test");
  metrics.on_inventory("default", view);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_complete"), 0);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_reads_total", "profile", "default"), 2);
  view.failure.reset();
  view.unwatched = 3;
  metrics.on_inventory_rewatched("default", view);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_unwatched_images"), 3);
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_complete"), 0) << "the last walk is the same one";
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_reads_total", "profile", "default"), 2);
  metrics.set_profiles({{"default", 5, Millis{60'000}}});  // the other has counters at 0
  EXPECT_EQ(value_of(metrics, "share_drift_inventory_read_failures_total", "reason", "forbidden"), 1);
}

TEST(SelfMetrics, ClosesOfAnEarlierLifeGoOn) {
  SelfMetrics metrics({"1", "r"}, {});
  metrics.set_totals({7, 0, 2, 0, 0}, 3);
  metrics.set_totals({8, 0, 2, 0, 0}, 0);
  EXPECT_EQ(value_of(metrics, "share_drift_closed_by_reason_total", "reason", "revoked"), 8);
  EXPECT_EQ(value_of(metrics, "share_drift_closed_by_reason_total", "reason", "allowed_by_config"), 2);
  EXPECT_EQ(value_of(metrics, "share_drift_clears_held"), 0);
}

TEST(SelfMetrics, WhatIsNotKnownIsAbsent) {
  SelfMetrics metrics({"1", "r"}, {});
  metrics.set_profiles({{"default", 5}});
  Credentials credentials;
  credentials.origin = "ecs_ram_role";
  credentials.expires = WallTime{Millis{1'795'000'000'500}};
  credentials.obtained = WallTime{Millis{1'794'000'000'000}};
  metrics.on_credentials("default", credentials);
  metrics.on_clock_skew("default", -2);
  EXPECT_EQ(value_of(metrics, "share_drift_credentials_expiry_timestamp_seconds"), 1'795'000'000.5);
  EXPECT_EQ(value_of(metrics, "share_drift_credentials_obtained_timestamp_seconds"), 1'794'000'000);
  EXPECT_EQ(value_of(metrics, "share_drift_clock_skew_seconds"), -2);
  credentials.origin = "static_file";
  credentials.expires = std::nullopt;
  credentials.obtained = std::nullopt;
  metrics.on_credentials("default", credentials);
  metrics.on_clock_skew("default", std::numeric_limits<double>::infinity());
  EXPECT_EQ(find_family(parsed(metrics), "share_drift_credentials_expiry_timestamp_seconds"), nullptr);
  EXPECT_EQ(find_family(parsed(metrics), "share_drift_credentials_obtained_timestamp_seconds"), nullptr);
  EXPECT_EQ(find_family(parsed(metrics), "share_drift_clock_skew_seconds"), nullptr);
  const auto infos = samples_of(parsed(metrics), "share_drift_credentials_info");
  ASSERT_THAT(infos, SizeIs(1));  // the source before is gone
  EXPECT_EQ(infos[0].label("source"), "static_file");
}

TEST(SelfMetrics, AReloadKeepsCountersAndDropsProfiles) {
  SelfMetrics metrics({"1", "r"}, {});
  metrics.set_profiles({{"kept", 5}, {"gone", 5}});
  metrics.on_request("kept");
  metrics.on_credentials("gone", {});
  metrics.set_profiles({{"new", 1}, {"kept", 9}});
  EXPECT_EQ(value_of(metrics, "share_drift_api_requests_total", "profile", "kept"), 1);
  EXPECT_EQ(value_of(metrics, "share_drift_api_budget_requests_per_second", "profile", "kept"), 9);
  EXPECT_EQ(value_of(metrics, "share_drift_api_requests_total", "profile", "new"), 0);
  EXPECT_EQ(text(metrics).find("\"gone\""), std::string::npos);
}

TEST(SelfMetrics, TellsWhichConfigurationIsInForce) {
  SelfMetrics metrics({"1", "r"}, {});
  EXPECT_EQ(value_of(metrics, "share_drift_config_last_reload_successful"), 0);
  metrics.config_loaded("aa", WallTime{Millis{1'000}});
  metrics.config_loaded("bb", WallTime{Millis{2'000}});
  metrics.config_rejected();
  EXPECT_EQ(value_of(metrics, "share_drift_config_last_reload_successful"), 0);
  EXPECT_EQ(value_of(metrics, "share_drift_config_last_reload_success_timestamp_seconds"), 2);
  EXPECT_EQ(value_of(metrics, "share_drift_config_info", "sha256", "bb"), 1);
  EXPECT_THAT(samples_of(parsed(metrics), "share_drift_config_info"), SizeIs(1));
}

TEST(SelfMetrics, AsksHowTheStateIs) {
  const SelfMetrics broken({"1", "r"}, fixed_sources());
  EXPECT_EQ(value_of(broken, "share_drift_state_ok"), 0);
  const SelfMetrics sound({"1", "r"}, fixed_sources({true, WallTime{Millis{3'000}}}));
  EXPECT_EQ(value_of(sound, "share_drift_state_ok"), 1);
  EXPECT_EQ(value_of(sound, "share_drift_state_last_write_timestamp_seconds"), 3);
}

TEST(SelfMetrics, ManyThreadsMayCountAndScrapeAtOnce) {
  SelfMetrics metrics({"1", "r"}, {});
  metrics.set_profiles({{"a", 1}});
  std::atomic<bool> done{false};
  std::jthread scraper([&] {
    while (!done.load())
      ExpositionParser::parse(text(metrics), false);
  });
  std::jthread reloader([&] {
    for (int i = 0; i < 50; ++i) {
      metrics.set_profiles(i % 2 == 0 ? std::vector<SelfMetrics::Profile>{{"a", 1}, {"b", 1}}
                                      : std::vector<SelfMetrics::Profile>{{"a", 1}});
    }
  });
  {
    std::vector<std::jthread> counting;
    counting.reserve(2);
    for (int t = 0; t < 2; ++t) {
      counting.emplace_back([&metrics] {
        for (int i = 0; i < 1'000; ++i) {
          metrics.on_request("a");
          metrics.on_failure("b", Reason::dns);
          metrics.on_http_request("/metrics", 200 + i % 3);
        }
      });
    }
  }
  reloader.join();
  done.store(true);
  scraper.join();
  EXPECT_EQ(value_of(metrics, "share_drift_api_requests_total", "profile", "a"), 2'000);
}

TEST(SelfMetrics, LooksLikeTheGoldenPages) {
  SelfMetrics metrics({"1.2.3", "0123456789ab"}, fixed_sources({true, WallTime{Millis{1'795'000'001'250}}}));
  metrics.set_profiles(
      {{"default", 5, Millis{300'000}, "https://ens.aliyuncs.com"}, {"odd \"name\"\n", 0.5}});
  InventoryView inventory{3, 1, 1, {{*ImageId::parse("m-new"), "odd \"name\"\n"}}};
  inventory.last_complete = WallTime{Millis{1'795'000'000'500}};
  inventory.left_out = 1;
  metrics.on_inventory("default", inventory);
  metrics.config_loaded("9f86d081", WallTime{Millis{1'795'000'000'000}});
  Observation seen;
  seen.failure.reason = Reason::count_mismatch;
  seen.duration = Millis{120};
  metrics.on_listing(seen);
  metrics.on_request("default");
  metrics.on_answer("default", Millis{80});
  metrics.on_clock_skew("default", 0.5);
  Credentials credentials;
  credentials.origin = "environment";
  credentials.expires = WallTime{Millis{1'795'003'600'000}};
  credentials.obtained = WallTime{Millis{1'794'999'000'500}};
  metrics.on_credentials("default", credentials);
  metrics.on_http_request("/metrics", 200);
  const std::string page = text(metrics);
  testing::expect_golden("daemon-text.prom", page);
  EXPECT_EQ(text(metrics, TextFormat::openmetrics), testing::as_openmetrics(page));
}

TEST(ProcessStats, ReadsTheKernelsLineWhateverTheCommandIsCalled) {
  const auto stat = parse_proc_stat(
      "4242 (evil) name (x) S 1 4242 4242 0 -1 4194560 1200 0 3 0 250 75 0 0 20 0 7 0 987654 104857600 5120 "
      "18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->user_ticks, 250U);
  EXPECT_EQ(stat->system_ticks, 75U);
  EXPECT_EQ(stat->threads, 7U);
  EXPECT_EQ(stat->start_ticks, 987'654U);
  EXPECT_EQ(stat->virtual_bytes, 104'857'600U);
  EXPECT_EQ(stat->resident_pages, 5'120U);
  EXPECT_FALSE(parse_proc_stat(""));
  EXPECT_FALSE(parse_proc_stat("1 (x) S 1 2 3"));
}

TEST(ProcessStats, OfThisProcessArePlausible) {
  const auto stats = read_process_stats();
  ASSERT_TRUE(stats);
  EXPECT_GT(stats->resident_bytes, 1e6);
  EXPECT_GT(stats->virtual_bytes, stats->resident_bytes);
  EXPECT_GE(stats->open_fds, 3);
  EXPECT_GE(stats->max_fds, stats->open_fds);
  EXPECT_GE(stats->threads, 1);
  EXPECT_GT(stats->start_time_seconds, 1'600'000'000);
}

}  // namespace
}  // namespace sharedrift
