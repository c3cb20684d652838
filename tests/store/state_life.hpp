#pragma once

#include "store/event_reader.hpp"
#include "store/state_db.hpp"
#include "support/fakes.hpp"
#include "support/page_server.hpp"
#include "support/recording_sink.hpp"
#include "support/temp_dir.hpp"

#include <memory>
#include <string>
#include <utility>

/// One run of a daemon on a state database, and what it may write.
namespace sharedrift::testing {

inline constexpr Millis kYear = std::chrono::hours(365 * 24);
inline constexpr WallTime kStart{Millis{1'795'000'000'000}};

inline ImageRecord a_record(const std::string& id) {
  ImageRecord record{*ImageId::parse(id)};
  record.state = ImageState::ok;
  record.last_complete = WallTime{Millis{1000}};
  record.last_poll = WallTime{Millis{2000}};
  record.last_complete_began = WallTime{Millis{900}};
  record.state_since = WallTime{Millis{800}};
  record.shared_accounts = 2;
  record.unused_entries = 6;
  record.unlisted = 3;
  record.total_count = 5;
  record.listing_complete = true;
  record.counters = {10, 3, {2, 1}, {1, 0}, 4};
  record.sightings = {{account(1), std::nullopt, WallTime{Millis{10}}, WallTime{Millis{20}}},
                      {account(9), WallTime{Millis{5}}, WallTime{Millis{11}}, WallTime{Millis{21}}}};
  record.losses = {{account(1), WallTime{Millis{25}}}, {account(9), WallTime{Millis{30}}}};
  record.absences = {{account(3), WallTime{Millis{12}}, WallTime{Millis{7}}, 2}};
  record.drifts = {{account(9), DriftKind::unexpected, WallTime{Millis{11}}, true},
                   {account(3), DriftKind::missing, WallTime{Millis{12}}, false}};
  return record;
}

struct Life {
  explicit Life(const std::string& path)
      : db(*std::move(StateDb::open(path, kYear, sink, clock))), saved(db->load()) {}
  ManualClock clock;
  RecordingSink sink;
  std::unique_ptr<StateDb> db;
  SavedState saved;
};

inline Event an_event(const std::string& image, WallTime at) {
  return {EventType::drift_opened,
          at,
          image,
          {{"account_id", std::string{"15\"\n\xFF"}},
           {"n", std::int64_t{7}},
           {"first_run", true},
           {"first_seen", at}}};
}

}  // namespace sharedrift::testing
