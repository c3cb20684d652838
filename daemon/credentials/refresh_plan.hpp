#pragma once

#include "core/time.hpp"

#include <optional>

namespace sharedrift {

/// When remote credentials are got again. Pure; `jitter` is uniform in [0, 1).

/// After a success at `now`: ahead of expiry by a quarter of the life time (15 minutes at most) and a random
/// share of a tenth of it on top, so that many daemons do not ask at once; never within 5 seconds, whatever
/// the clocks say. Credentials that do not tell when they expire are got again after 5 minutes.
MonoTime next_refresh(Instant now, std::optional<WallTime> expires, double jitter);

/// After the `failures`-th failure in a row (1 or more): 2 seconds, doubled each time up to a minute, and
/// half of it random.
MonoTime next_retry(MonoTime now, int failures, double jitter);

/// After somebody refused to give any, `refusals` times in a row: a minute, doubled each time up to 5
/// minutes; behind a proxy that refuses the login (HTTP 407) up to half an hour, since directories lock
/// accounts for bad logins.
MonoTime next_try_after_refusal(MonoTime now, int refusals, int http_status);

/// After the API refused the credentials: at once, but once a minute at most, since a role that is refused
/// with every new token must not make us ask for them without end. `last_forced`: the last time that this led
/// to a refresh.
MonoTime refresh_after_rejection(MonoTime now, std::optional<MonoTime> last_forced);

}  // namespace sharedrift
