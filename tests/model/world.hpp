#pragma once

#include "core/listing.hpp"
#include "core/tracker.hpp"
#include "core/view.hpp"
#include "picture.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sharedrift::testing {

/// A tracker to which a history happens, and what can be seen of it in the law's own terms. The image of the
/// history is one of ten where the guard is on, else the only one. What it brings is saved as the daemon
/// saves it.
class World {
 public:
  explicit World(const law::House& house);

  void take(const law::Step& step);
  struct Look {
    law::Picture picture;
    std::string contradictions;  ///< between gauges and drifts, view and record, counters and events
  };
  [[nodiscard]] Look look() const;
  /// What the last step told of the image.
  [[nodiscard]] const std::vector<std::string>& news() const { return news_; }

 private:
  [[nodiscard]] law::Picture picture(const ImageRecord& record, const ImageView& view) const;
  [[nodiscard]] std::string contradictions(const law::Picture& is, const ImageRecord& record,
                                           const ImageView& view) const;
  [[nodiscard]] WatchList watch(const law::Rules& rules) const;
  void poll(const law::Step& step);
  void poll_others(const std::vector<AccountId>& accounts, Instant now);
  void restart(const law::Step& step);
  void live_anew(const WatchList& watch, Instant now);
  void rewatch(const law::Step& step);
  void note(const Step& step);
  void save_all();

  law::House house_;
  std::vector<std::shared_ptr<const ImagePolicy>> others_;
  int now_ = 0;
  std::unique_ptr<Tracker> tracker_;
  std::map<ImageId, ImageRecord> saved_;
  FleetRecord saved_fleet_;
  std::vector<std::string> news_;
  ImageCounters told_;  ///< by events, over all lives
  std::array<std::uint64_t, kAllCloseReasons.size()> told_closes_{};
};

}  // namespace sharedrift::testing
