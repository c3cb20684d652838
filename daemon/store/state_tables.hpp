#pragma once

#include "core/event.hpp"
#include "core/record.hpp"
#include "core/result.hpp"
#include "store/sqlite.hpp"
#include "store/state_file.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift {

/// The tables of the state database and how records become rows. Times are milliseconds since 1970, UTC; ids
/// are text. Not thread-safe.
class StateTables {
 public:
  /// Opens, checks that the file is whole and ours, and creates the tables where it is new.
  static Result<StateTables, sqlite::Error> open(const std::string& path, StateLimits limits);

  /// Poll counters go on only after a clean stop: the last steps of a killed life may be missing, and a
  /// counter that is a little less than it was looks to Prometheus like one that began anew and ran through
  /// all of it again. They begin at 0 then.
  Result<SavedState, sqlite::Error> load();
  /// All of `work` or nothing.
  sqlite::Status transaction(const std::function<sqlite::Status()>& work);
  sqlite::Status put(const ImageRecord& record);
  sqlite::Status erase(const ImageId& image);
  sqlite::Status add(const Event& event);
  sqlite::Status put_fleet(const FleetRecord& fleet);
  /// All that there are.
  sqlite::Status put_discovered(const std::vector<DiscoveredImage>& images);
  /// Whether the life that writes has said its last word.
  sqlite::Status put_stopped(bool stopped);
  sqlite::Status put_alive(WallTime now);
  sqlite::Status prune(WallTime before);

 private:
  using Images = std::map<std::string, ImageRecord, std::less<>>;
  StateTables(sqlite::Database database, StateLimits limits)
      : database_(std::move(database)), limits_(limits) {}
  sqlite::Status load_all(Images& images, SavedState& saved, bool& stopped);
  sqlite::Status take_row();
  Result<Images::iterator, sqlite::Error> add_image(Images& images, ImageId id);
  sqlite::Status load_images(Images& images);
  sqlite::Status load_sightings(Images& images);
  sqlite::Status load_absences(Images& images);
  sqlite::Status load_drifts(Images& images);
  sqlite::Status load_discovered(SavedState& saved);
  sqlite::Status load_meta(SavedState& saved, bool& stopped);
  template <class Add>
  sqlite::Status load_details(std::string_view sql, Images& images, Add add);
  sqlite::Status put_image(const ImageRecord& record);
  sqlite::Status put_meta(std::string_view key, std::int64_t value);

  sqlite::Database database_;
  StateLimits limits_;
  std::size_t rows_ = 0;  ///< read so far, but for the images'
};

}  // namespace sharedrift
