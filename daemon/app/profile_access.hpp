#pragma once

#include "aliyun/clock_correction.hpp"
#include "aliyun/sts_client.hpp"
#include "config/config.hpp"
#include "ports.hpp"

#include <functional>
#include <memory>

namespace sharedrift {

/// By what a profile reaches the API: its route, its keys, and the one correction of the clock for all that
/// it signs. What stands further down uses what stands above.
struct ProfileAccess {
  std::shared_ptr<const HttpRoute> route;
  std::shared_ptr<ClockCorrection> correction;
  std::unique_ptr<CorrectedClock> clock;
  std::unique_ptr<StsClient> sts;
  std::unique_ptr<CredentialSource> credentials;
};

/// `observer` may be null; `changed` is called on a thread of the credential source. All of it outlives the
/// access.
ProfileAccess make_profile_access(const ProfileConfig& profile, Clock& clock, Random& random,
                                  ApiObserver* observer, std::function<void()> changed);

}  // namespace sharedrift
