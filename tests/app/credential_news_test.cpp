#include "app/news.hpp"
#include "support/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Bench {
  std::vector<std::string> lines;
  testing::CountingObserver next;
  CredentialNews news{next, [this](EventType type, const std::vector<Field>& fields) {
                        std::string line{to_string(type)};
                        for (const Field& field : fields)
                          line += " " + field.key + "=" + to_text(field.value);
                        lines.push_back(std::move(line));
                      }};
  std::vector<std::string> hear(const Credentials& credentials, const char* profile = "p") {
    lines.clear();
    news.on_credentials(profile, credentials);
    return lines;
  }
};

TEST(CredentialNews, TellsEachChangeOnceAndPassesEverythingOn) {
  Bench bench;
  Credentials key;
  key.origin = "static_file";
  key.generation = 1;
  key.access_key_id = "LTAI";
  key.access_key_secret = Secret{"hush"};
  EXPECT_THAT(bench.hear(key), ElementsAre("credentials_changed profile=p source=static_file"));
  EXPECT_THAT(bench.hear(key), IsEmpty());
  EXPECT_THAT(bench.hear(key, "q"), ElementsAre("credentials_changed profile=q source=static_file"));
  key.generation = 2;
  EXPECT_THAT(bench.hear(key), ElementsAre("credentials_renewed profile=p source=static_file"));
  key.origin = "ecs_ram_role";
  key.generation = 3;
  key.expires = WallTime{Millis{1'795'000'000'000}};
  EXPECT_THAT(bench.hear(key), ElementsAre("credentials_changed profile=p source=ecs_ram_role "
                                           "expires=2026-11-18T11:06:40.000Z"));
  EXPECT_EQ(bench.next.generation, 3U);
  bench.news.on_failure("p", Reason::key_rejected);
  bench.news.on_failure("p", Reason::timeout);
  EXPECT_THAT(bench.hear(key), IsEmpty());
  key.generation = 4;
  EXPECT_THAT(bench.hear(key), ElementsAre("credentials_changed profile=p source=ecs_ram_role "
                                           "expires=2026-11-18T11:06:40.000Z after=key_rejected"))
      << "what ends a trouble is worth a line";
  key.generation = 5;
  EXPECT_THAT(bench.hear(key), ElementsAre("credentials_renewed profile=p source=ecs_ram_role "
                                           "expires=2026-11-18T11:06:40.000Z"));
  bench.news.on_request("p");
  bench.news.on_answer("p", Millis{1});
  bench.news.on_failure("p", Reason::tls);
  bench.news.on_retry("p");
  bench.news.on_clock_skew("p", 2);
  bench.news.on_credentials_refresh_failed("p");
  EXPECT_EQ(bench.next.requests + bench.next.answers + bench.next.retries + bench.next.refresh_failures, 4);
  EXPECT_EQ(bench.next.failures[Reason::tls], 1);
  EXPECT_EQ(bench.next.skew, 2);
}

TEST(CredentialNews, WarnsWhenTroubleBeginsAndSaysWhenItIsOver) {
  Bench bench;
  Credentials key;
  key.origin = "ecs_ram_role";
  key.generation = 1;
  bench.hear(key);
  key.warning = "still using an earlier key: timeout after 2001 ms";
  EXPECT_THAT(bench.hear(key),
              ElementsAre("credentials_warning profile=p source=ecs_ram_role detail=" + key.warning));
  key.warning = "still using an earlier key: timeout after 2000 ms";
  EXPECT_THAT(bench.hear(key), IsEmpty());
  key.warning = "still using an earlier key: refused";
  EXPECT_EQ(bench.hear(key).size(), 1U);
  key.warning.clear();
  EXPECT_THAT(bench.hear(key), ElementsAre("credentials_recovered profile=p source=ecs_ram_role"));
}

}  // namespace
}  // namespace sharedrift
