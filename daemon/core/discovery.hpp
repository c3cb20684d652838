#pragma once

#include "core/ids.hpp"
#include "core/policy.hpp"

#include <string>

namespace sharedrift {

/// A rule of the configuration for owned images that have no entry of their own; the first that fits counts.
struct DiscoverRule {
  std::string name;     ///< as written: a glob on the ImageName; empty: every name
  std::string profile;  ///< empty: every profile
  ImagePolicy policy;   ///< what an image of this rule may and must; its id, name and profile are the image's
  friend bool operator==(const DiscoverRule&, const DiscoverRule&) = default;
};

/// An owned image that nobody needs to watch, on somebody's word.
struct IgnoredImage {
  ImageId id;
  std::string owner;
  std::string reason;
  friend bool operator==(const IgnoredImage&, const IgnoredImage&) = default;
};

}  // namespace sharedrift
