#pragma once

#include "core/failure.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <vector>

namespace sharedrift {

/// One line for one cause: notices that the images of a profile fail together, so that the log has one line
/// about the profile in place of one about each image. Of images that begin to fail alike the first one is
/// told at once. The others wait for a cycle at most: if until then all of them fail, or no listing of the
/// profile is complete, the profile is blind, and that is told; else they are told one by one. What is told
/// is all that it decides: views, metrics and memory of an image know nothing of it.
class ProfileOutage {
 public:
  struct Advice {
    enum class News { none, blind, recovered };
    News news = News::none;
    bool quiet = false;         ///< the image's own failure, recovery and change of state are not told
    std::vector<ImageId> owed;  ///< the failures of these are to be told now, one by one
  };
  struct Poll {
    ImageId image;
    bool complete;
    ImageState state;  ///< of the image, after it
    bool telling;      ///< the image has a failure to tell; one that goes on is not told each time
  };

  /// `images` are watched in the profile, `cycle` is how long they are waited for.
  Advice on_poll(const Poll& poll, std::size_t images, Instant now, Millis cycle);
  /// Time alone. Call at next_deadline() or later.
  Advice on_time(MonoTime now);
  [[nodiscard]] MonoTime next_deadline() const;
  /// Images are not watched any more.
  void forget(const std::function<bool(const ImageId&)>& unwatched);

  /// With news: how many images are or were blind, and since when.
  [[nodiscard]] std::size_t blind_images() const { return blind_images_; }
  [[nodiscard]] Instant since() const { return since_; }
  /// While images fail: one of them.
  [[nodiscard]] const ImageId& example() const { return failing_.begin()->first; }

 private:
  enum class Phase { clear, suspected, blind };
  struct Failing {
    ImageState state;
    bool told;
  };
  Advice on_failure(const Poll& poll, std::size_t images, Instant now, Millis cycle, bool was_quiet);
  void end();
  void become_blind(Advice& advice);
  void begin(const Poll& poll, Instant now, Millis cycle);
  [[nodiscard]] std::vector<ImageId> untold() const;

  Phase phase_ = Phase::clear;
  ImageState state_ = ImageState::unreachable;  ///< of those that fail alike
  Instant since_{};
  MonoTime until_ = MonoTime::max();  ///< of a suspicion
  std::size_t blind_images_ = 0;
  int again_ = 0;                       ///< failures of the example since it was told
  std::map<ImageId, Failing> failing_;  ///< since since_
  std::set<ImageId> quiet_;             ///< failed in an outage that is over, and were not polled since
};

}  // namespace sharedrift
