#pragma once

#include "aliyun/clock_correction.hpp"
#include "ports.hpp"

#include <memory>

namespace sharedrift {

/// AssumeRole and AssumeRoleWithOIDC at STS. Everything, tokens and signature included, goes in the form, so
/// that no URL holds a secret. A time stamp that is refused is replaced once by the API's own time; else it
/// neither retries nor caches: that is its caller's. Thread-safe.
class StsClient final : public RoleExchange {
 public:
  /// Clock and random outlive the client; `route` may be null.
  StsClient(Clock& clock, Random& random, HttpFetch fetch, std::shared_ptr<const HttpRoute> route,
            std::shared_ptr<ClockCorrection> correction = std::make_shared<ClockCorrection>());

  Result<Credentials, Failure> assume(const RoleRequest& role, const Credentials* key,
                                      std::stop_token stop) override;

 private:
  [[nodiscard]] HttpRequest build(const RoleRequest& role, const Credentials* key, Millis correction) const;

  Clock& clock_;
  Random& random_;
  HttpFetch fetch_;
  std::shared_ptr<const HttpRoute> route_;
  std::shared_ptr<ClockCorrection> correction_;
};

}  // namespace sharedrift
