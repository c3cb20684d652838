#pragma once

#include "config/config.hpp"
#include "core/view.hpp"

#include <map>
#include <string>
#include <vector>

namespace sharedrift {

/// By profile: the address of the API that is asked.
using Endpoints = std::map<std::string, std::string>;
Endpoints endpoints_of(const Config& config);

struct PlannedCall {
  AccountId account;
  DriftKind kind;
  std::string call;  ///< a line for a shell
};

/// The aliyun calls that would end the drift of an image, one account each; never the one that would silence
/// a canary. Nothing here runs them.
std::vector<PlannedCall> planned_calls(const ImageView& view, const Endpoints& endpoints);

}  // namespace sharedrift
