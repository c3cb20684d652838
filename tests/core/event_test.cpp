// What is said of events: each type's sentence, shown on an example, and the guide made of them.
#include "core/event.hpp"

#include "support/test_data.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::string_literals;

const WallTime kNoon = *parse_rfc3339("2026-11-24T12:00:00Z");
const WallTime kEleven = *parse_rfc3339("2026-11-24T11:00:00Z");

std::vector<Field> operator+(std::vector<Field> a, const std::vector<Field>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// One event at least of each type, two where it says two things.
std::vector<Event> examples() {
  const std::vector<Field> of_image{{"image_name", "edge-base"s}};
  const std::vector<Field> of_account =
      of_image + std::vector<Field>{{"account_id", "4242424242424242"s}, {"account_name", "partner-north"s}};
  const std::vector<Field> leak = of_account + std::vector<Field>{{"kind", "unexpected"s},
                                                                  {"not_before", kEleven},
                                                                  {"first_seen", kNoon},
                                                                  {"last_seen", kNoon}};
  const std::vector<Field> end{{"not_after", kNoon}};
  const std::vector<Field> source{{"request_ids", "6E4B1F3C"s}, {"config", "3f786850e387"s}};
  const std::vector<Field> loss =
      of_account + std::vector<Field>{{"kind", "missing"s}, {"last_seen", kEleven}, {"not_after", kNoon}};
  const auto failed = [&of_image](const char* reason, const char* code, int status, const char* detail) {
    return of_image +
           std::vector<Field>{{"reason", std::string{reason}},       {"code", std::string{code}},
                              {"http_status", std::int64_t{status}}, {"detail", std::string{detail}},
                              {"failures", std::int64_t{1}},         {"request_id", "6E4B1F3C"s}};
  };
  const auto closed = [&](const std::vector<Field>& drift, const char* reason) {
    return drift + source + std::vector<Field>{{"reason", std::string{reason}}, {"opened", kEleven}};
  };
  using enum EventType;
  return {
      {drift_opened, kNoon, "m-1",
       leak + source + std::vector<Field>{{"reason", "listed"s}, {"first_run", false}}},
      {drift_opened, kNoon, "m-1",
       loss + source + std::vector<Field>{{"reason", "absent"s}, {"first_run", false}}},
      {drift_opened, kNoon, "m-1",
       leak + source + std::vector<Field>{{"reason", "watched_again"s}, {"first_run", false}}},
      {drift_clearing, kNoon, "m-1", leak + end + source},
      {drift_closed, kNoon, "m-1", closed(leak + end, "revoked")},
      {drift_closed, kNoon, "m-1", closed(loss, "restored")},
      {drift_closed, kNoon, "m-1", closed(leak, "allowed_by_config")},
      {drift_closed, kNoon, "m-1", closed(loss, "image_gone")},
      {drift_closed, kNoon, "m-1", closed(leak, "unwatched")},
      {drift_flapped, kNoon, "m-1", leak + source},
      {listing_incomplete, kNoon, "m-1",
       failed("count_mismatch", "", 200, "TotalCount says 3, and 2 accounts are listed")},
      {listing_failed, kNoon, "m-1",
       failed("forbidden", "NoPermission", 403,
              "the key has no right to do this; grant ens:DescribeImageSharePermission to its user or role, "
              "see ram-policy.json")},
      {listing_recovered, kNoon, "m-1", of_image + std::vector<Field>{{"failures", std::int64_t{3}}}},
      {image_state_changed, kNoon, "m-1",
       of_image + std::vector<Field>{{"from", "ok"s}, {"to", "unreachable"s}}},
      {exception_expired, kNoon, "m-1",
       of_image + std::vector<Field>{{"account_id", "4242424242424242"s},
                                     {"owner", "jane"s},
                                     {"ticket", "SEC-12"s},
                                     {"expired", kNoon}}},
      {canary_lost, kNoon, "m-1", of_image},
      {canary_restored, kNoon, "m-1", of_image},
      {profile_blind,
       kNoon,
       "",
       {{"profile", "default"s},
        {"images", std::int64_t{300}},
        {"images_watched", std::int64_t{300}},
        {"seconds", std::int64_t{280}},
        {"reason", "forbidden"s},
        {"code", "NoPermission"s},
        {"http_status", std::int64_t{403}},
        {"detail",
         "the key has no right to do this; grant ens:DescribeImageSharePermission to its user or role, see ram-policy.json"s},
        {"failures", std::int64_t{1}},
        {"request_id", "6E4B1F3C"s}}},
      {profile_recovered,
       kNoon,
       "",
       {{"profile", "default"s},
        {"images", std::int64_t{300}},
        {"images_watched", std::int64_t{300}},
        {"seconds", std::int64_t{1500}}}},
      {mass_change_held,
       kNoon,
       "",
       {{"images_losing", std::int64_t{30}},
        {"images_watched", std::int64_t{40}},
        {"limit_percent", std::int64_t{20}},
        {"clears_held", std::int64_t{1}}}},
      {events_left_out, kNoon, "", {{"of_drift", std::int64_t{4711}}, {"others", std::int64_t{1}}}},
      {monitoring_gap, kNoon, "", {{"from", kEleven}, {"to", kNoon}, {"seconds", std::int64_t{3600}}}},
      {monitoring_gap, kNoon, "", {{"to", kNoon}, {"detail", "the state does not say since when"s}}},
      {first_run, kNoon, "", {{"images", std::int64_t{1}}}},
      {image_discovered, kNoon, "m-1",
       of_image + std::vector<Field>{{"profile", "default"s}, {"rule", "edge-*"s}, {"created", kEleven}}},
      {image_renamed, kNoon, "m-1",
       of_image + std::vector<Field>{{"profile", "default"s}, {"from", "test-base"s}, {"rule", "test-*"s}}},
      {image_policy_changed, kNoon, "m-1",
       of_image + std::vector<Field>{{"profile", "default"s}, {"from", "test-*"s}, {"to", "edge-*"s}}},
      {image_left, kNoon, "m-1", of_image + std::vector<Field>{{"profile", "default"s}}},
      {images_left_out,
       kNoon,
       "",
       {{"profile", "default"s}, {"images", std::int64_t{120}}, {"discovered", std::int64_t{50'000}}}},
      {inventory_incomplete,
       kNoon,
       "",
       {{"profile", "default"s},
        {"reason", "forbidden"s},
        {"code", "NoPermission"s},
        {"http_status", std::int64_t{403}},
        {"detail",
         "the key has no right to do this; grant ens:DescribeSelfImages to its user or role, see ram-policy.json"s},
        {"failures", std::int64_t{1}},
        {"request_id", "6E4B1F3C"s}}},
      {inventory_recovered, kNoon, "", {{"profile", "default"s}, {"failures", std::int64_t{3}}}},
      {config_reloaded, kNoon, "", {{"config", "3f786850e387"s}, {"images", std::int64_t{40}}}},
      {config_rejected,
       kNoon,
       "",
       {{"file", "/etc/share-drift-exporter/config.yml"s},
        {"errors", std::int64_t{1}},
        {"reason", "config.yml:7:3: unknown key `imagse`"s}}},
      {config_untrusted, kNoon, "", {{"file", "/etc/share-drift-exporter/config.yml"s}}},
      {config_warning,
       kNoon,
       "",
       {{"file", "config.yml"s},
        {"reason",
         "config.yml:2:12: warning: profiles.default.ca_file: \"/etc/ca.pem\" expires at 2026-12-14T12:00:00.000Z, in 20 days"s}}},
      {web_config_reloaded, kNoon, "", {{"file", "web.yml"s}}},
      {web_config_rejected,
       kNoon,
       "",
       {{"file", "web.yml"s}, {"errors", std::int64_t{1}}, {"reason", "web.yml:2:3: unknown key `tsl`"s}}},
      {credentials_changed,
       kNoon,
       "",
       {{"profile", "default"s}, {"source", "ecs_ram_role"s}, {"expires", kNoon}}},
      {credentials_changed,
       kNoon,
       "",
       {{"profile", "default"s}, {"source", "static_file"s}, {"after", "key_rejected"s}}},
      {credentials_renewed, kNoon, "", {{"profile", "default"s}, {"source", "static_file"s}}},
      {credentials_warning,
       kNoon,
       "",
       {{"profile", "default"s},
        {"source", "static_file"s},
        {"detail", "others can read the key file; chmod 600"s}}},
      {credentials_recovered, kNoon, "", {{"profile", "default"s}, {"source", "static_file"s}}},
      {state_rejected,
       kNoon,
       "",
       {{"path", "/var/lib/share-drift-exporter/state.db"s},
        {"moved_to", "/var/lib/share-drift-exporter/state.db.rejected-2026-11-24T120000Z"s},
        {"reason", "damaged: database disk image is malformed"s}}},
      {state_rejected,
       kNoon,
       "",
       {{"path", "/var/lib/share-drift-exporter/state.db"s},
        {"reason", "cannot write: database or disk is full"s}}},
      {log_lines_dropped, kNoon, "", {{"lines", std::int64_t{200}}}},
      {internal_error, kNoon, "", {{"detail", "a listener ended and could not be brought back"s}}},
      {connections_refused,
       kNoon,
       "",
       {{"reason", "plain_http"s}, {"connections", std::int64_t{3}}, {"address", "10.1.2.3"s}}},
      {listening, kNoon, "", {{"address", "127.0.0.1"s}, {"port", std::int64_t{10191}}}},
      {started,
       kNoon,
       "",
       {{"version", "0.2.0"s},
        {"revision", "abcdef123456"s},
        {"config", "3f786850e387"s},
        {"images", std::int64_t{40}},
        {"state", "/var/lib/share-drift-exporter/state.db"s}}},
      {stopping, kNoon, "", {}},
      {stopped, kNoon, "", {}},
  };
}

TEST(EventMessage, IsWholeForEveryType) {
  std::set<EventType> shown;
  for (const Event& event : examples()) {
    const std::string message = message_of(event);
    shown.insert(event.type);
    EXPECT_GT(message.size(), 20U) << to_string(event.type);
    EXPECT_EQ(message.find_first_of("{}[]|?"), std::string::npos) << message;
    EXPECT_TRUE(std::isupper(message.front()) != 0 || message.starts_with("share-drift-exporter")) << message;
  }
  for (const EventSpec& row : event_table())
    EXPECT_TRUE(shown.contains(row.type)) << to_string(row.type) << " has no example here";
}

TEST(EventMessage, NamesWhatHasANameAndCountsThings) {
  Event event{EventType::drift_clearing, kNoon, "m-1", {{"account_id", "42"s}}};
  EXPECT_TRUE(message_of(event).starts_with("Account 42 was not found on image m-1:"));
  event.add("account_name", "north"s);
  event.add("image_name", "edge"s);
  EXPECT_TRUE(message_of(event).starts_with("Account north (42) was not found on image edge (m-1):"));
  EXPECT_NE(message_of({EventType::first_run, kNoon, "", {{"images", std::int64_t{1}}}})
                .find("begins now with 1 image,"),
            std::string::npos);
}

TEST(EventMessage, NeverReadsAValueAsAPattern) {
  const Event event{
      EventType::config_rejected, kNoon, "", {{"file", "{reason}"s}, {"reason", "[x] {file} |"s}}};
  EXPECT_EQ(message_of(event),
            "Configuration {reason} was refused and the one before stays in force; correct it and reload: "
            "[x] {file} |");
}

// Rows of earlier releases and of other hands lack fields.
TEST(EventMessage, SaysThatFieldsAreLeftOut) {
  EXPECT_EQ(message_of({EventType::config_rejected, kNoon, "", {{"left_out", "fields"s}}}),
            message_of({EventType::config_rejected, kNoon, "", {}}) + " (without fields)");
}

TEST(EventMessage, SaysWhatItCanOfAnEventWithoutFields) {
  for (const EventSpec& row : event_table()) {
    const std::string message = message_of({row.type, kNoon, "", {}});
    EXPECT_EQ(message.find_first_of("{}[]|"), std::string::npos) << message;
  }
}

TEST(EventField, IsTextOfItsKind) {
  EXPECT_EQ(to_text("a"s), "a");
  EXPECT_EQ(to_text(std::int64_t{-7}), "-7");
  EXPECT_EQ(to_text(1.5), "1.5");
  EXPECT_EQ(to_text(true), "true");
  EXPECT_EQ(to_text(kNoon), "2026-11-24T12:00:00.000Z");
}

TEST(EventRecord, BeginsWithWhatEveryLineHas) {
  std::string keys;
  for (const Field& field : record_of(examples().front()))
    keys += field.key + " ";
  EXPECT_TRUE(keys.starts_with("ts level event msg image_id image_name account_id ")) << keys;
  EXPECT_EQ(record_of({EventType::stopped, kNoon, "", {}}).size(), 4U);
}

/// The rows of the table in dashboards/EVENTS.md, from the examples: what stands there is what the program
/// says.
std::string table_of_events() {
  std::string out;
  for (const EventSpec& row : event_table()) {
    std::string sentences;
    std::string keys;
    std::set<std::string> seen;
    for (const Event& event : examples()) {
      if (event.type != row.type) continue;
      sentences += (sentences.empty() ? "" : "<br>") + message_of(event);
      for (const Field& field : event.fields) {
        if (seen.insert(field.key).second) keys += (keys.empty() ? "`" : ", `") + field.key + "`";
      }
    }
    out += "| `" + std::string{to_string(row.type)} + "` | " + std::string{to_string(row.level)} + " | " +
           sentences + " | " + keys + " |\n";
  }
  return out;
}

TEST(EventGuide, ShowsWhatTheProgramSays) {
  const std::filesystem::path path = testing::test_data("../../dashboards/EVENTS.md");
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string_view begin =
      "<!-- events: begin -->\n| event | level | says, for example | fields |\n|---|---|---|---|\n";
  const std::size_t from = text.find(begin) + begin.size();
  const std::size_t to = text.find("<!-- events: end -->");
  ASSERT_TRUE(text.find(begin) != std::string::npos && to >= from) << path;
  const std::string right = text.substr(0, from) + table_of_events() + text.substr(to);
  if (text == right) return;
  const std::string left = ::testing::TempDir() + "EVENTS.md";
  std::ofstream(left, std::ios::binary) << right;
  FAIL() << "dashboards/EVENTS.md is not what the program says; put " << left << " in its place";
}

}  // namespace
}  // namespace sharedrift
