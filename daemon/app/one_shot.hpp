#pragma once

#include "config/config.hpp"
#include "core/view.hpp"
#include "poll/inventory_walks.hpp"
#include "poll/poller.hpp"
#include "ports.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sharedrift {

/// What a single poll needs from the world.
struct OneShotPorts {
  const Config& config;
  const Clock& clock;
  Random& random;
  HttpTransport& transport;
  TimerQueue& timers;
  std::map<std::string, PollLane> lanes;                            ///< by profile
  std::function<void(std::size_t done, std::size_t all)> progress;  ///< may be empty
};

/// What one walk through the inventories of all profiles brought.
struct WalkedOnce {
  Inventories inventories;
  std::vector<std::shared_ptr<const ImagePolicy>> discovered;  ///< what rules bring under watch
  std::map<std::string, Failure> blind;        ///< by profile: why its inventory is not complete
  std::set<std::string> own_nothing;           ///< profiles whose account is proven to own no image
  std::map<std::string, InventoryView> shown;  ///< by profile
};
/// Walks each profile's inventory once. Ends early when stop is requested.
WalkedOnce walk_once(const OneShotPorts& ports, const std::stop_token& stop);
/// Why not all images may be known, and why none may be: a sentence for each profile.
std::vector<std::string> doubts(const WalkedOnce& walked, const Config& config);

/// What a single poll has proven is as old as that poll: it is told before it can be stale.
inline constexpr Millis kNeverStale = std::chrono::hours{24 * 365};

/// Polls every image of `watch` once, with a tracker that knows no past and takes one complete listing for
/// proof (there is no second one to wait for). Views in the order of `watch`. `inventories`: what was walked
/// before. Ends early, with what it has, when stop is requested.
std::vector<std::shared_ptr<const ImageView>> poll_once(WatchList watch, const OneShotPorts& ports,
                                                        const std::stop_token& stop,
                                                        Inventories inventories = {});

/// Only the images asked for; an id that is not in the config is the error.
Result<WatchList, std::string> selected(WatchList watch, const std::vector<ImageId>& images);

}  // namespace sharedrift
