#pragma once

#include "config/config.hpp"
#include "core/discovery.hpp"
#include "core/owned_images.hpp"
#include "core/timer_queue.hpp"
#include "poll/poller.hpp"
#include "ports.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace sharedrift {

/// What is known of the images of all profiles' accounts; outlives configurations.
using Inventories = std::map<std::string, OwnedImages>;

/// What to look at where the account of a profile owns no image.
std::string owns_nothing(const ProfileConfig& profile);

/// Has the inventory of each profile walked on its interval, the first time at once. Lives as long as one
/// configuration is in force, on the poll thread.
class InventoryWalks {
 public:
  struct Parts {
    const Clock& clock;
    TimerQueue& timers;
    const Config& config;
    Inventories& inventories;
    Discovery& discovery;
    StepPublisher& publisher;
    PollListener& listener;
    RepeatedAnswers& answers;       ///< outlives the configuration
    std::function<void()> rewatch;  ///< what is discovered changed
  };
  explicit InventoryWalks(Parts parts) : parts_(std::move(parts)) {}

  /// `source` is asked from when the next walk is due; `timeout`: of one of its requests. What is known of an
  /// earlier walk is shown at once, judged by this configuration.
  void start(const std::string& profile, ShareSource& source, Millis timeout);
  /// Whether a proven inventory that is not too old lists the image.
  [[nodiscard]] bool proves(const std::string& profile, const ImageId& image) const;

 private:
  struct Profile {
    ShareSource* source = nullptr;
    Millis timeout{};
    TimerQueue::Timer next;
    std::int64_t failures = 0;  ///< in a row
    Reason told = Reason::internal;
    bool owns_nothing = false;  ///< as the last complete walk says
  };
  void walk(const std::string& name);
  void take(const std::string& name, MonoTime began, const InventoryListing& walked);
  void tell(const std::string& name, const InventoryListing& seen, const std::optional<Failure>& failure);
  [[nodiscard]] InventoryView view(const std::string& name) const;
  [[nodiscard]] OwnedImages::Rules rules() const;

  Parts parts_;
  std::map<std::string, Profile> profiles_;
};

}  // namespace sharedrift
