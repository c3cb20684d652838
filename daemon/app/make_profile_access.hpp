#pragma once

#include "aliyun/profile_access.hpp"
#include "config/config.hpp"
#include "ports.hpp"

#include <functional>
#include <string>
#include <vector>

namespace sharedrift {

/// `observer` may be null; `changed` is called on a thread of the credential source. All of it outlives the
/// access.
ProfileAccess make_profile_access(const ProfileConfig& profile, Clock& clock, Random& random,
                                  ApiObserver* observer, std::function<void()> changed);

/// What is wrong with the places where a profile's credentials come from, in words, without a call.
std::vector<std::string> local_credential_faults(const ProfileConfig& profile, Clock& clock, Random& random);

}  // namespace sharedrift
