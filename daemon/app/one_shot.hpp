#pragma once

#include "app/cli.hpp"
#include "config/config.hpp"
#include "core/view.hpp"
#include "poll/inventory_walks.hpp"
#include "poll/poller.hpp"
#include "poll/watch.hpp"
#include "ports.hpp"

#include <functional>
#include <memory>
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

/// What the inventories of all profiles bring under watch by rules.
struct WalkedOnce {
  std::vector<std::shared_ptr<const ImagePolicy>> discovered;
  std::vector<std::string> blind;  ///< why an inventory is not complete, for people: new images may be unseen
};
/// Walks each profile's inventory once, into `inventories`. Ends early when stop is requested.
WalkedOnce walk_once(const OneShotPorts& ports, Inventories& inventories, const std::stop_token& stop);

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
