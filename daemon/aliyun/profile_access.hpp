#pragma once

#include "aliyun/clock_correction.hpp"
#include "aliyun/sts_client.hpp"
#include "ports.hpp"

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

}  // namespace sharedrift
