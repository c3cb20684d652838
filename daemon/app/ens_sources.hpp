#pragma once

#include "config/config.hpp"
#include "poll/engine.hpp"
#include "ports.hpp"

#include <functional>
#include <memory>

namespace sharedrift {

/// Whether a rule watches what the account of that profile owns.
bool discovers(const Config& config, const std::string& profile);

/// What the sources of all profiles share. Everything referred to outlives them.
struct EnsWorld {
  Clock& clock;
  Random& random;
  HttpTransport& transport;
  TimerQueue& timers;  ///< of the loop that drives the transport
  ApiObserver& observer;
  std::function<void()> wake;  ///< wakes the poll loop; called on threads of credential sources
};

/// One EnsClient and one credential source per profile. A profile that `previous` had just the same keeps its
/// credential source, with what it knows and the thread it may have.
std::unique_ptr<ShareSources> make_ens_sources(const Config& config, std::unique_ptr<ShareSources> previous,
                                               const EnsWorld& world);

}  // namespace sharedrift
