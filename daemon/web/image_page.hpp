#pragma once

#include "core/event.hpp"
#include "core/result.hpp"
#include "core/verdict.hpp"
#include "metrics/image_families.hpp"
#include "web/plan.hpp"

#include <string>
#include <vector>

namespace sharedrift {

/// What the page of an image is made from.
struct ImagePageInput {
  const ImageView& view;
  const AccountNames& names;
  WallTime now;
  Endpoints endpoints;
  Result<std::vector<Event>, std::string> events;  ///< of the image, or what explains those; newest last
  bool profile_fails = false;                      ///< the alert about its profile speaks for it
};

/// Whether ShareDriftApiFailing fires about the profile: most of its images, five at least, are blind for
/// more than two intervals.
bool profile_fails(const std::vector<ViewPtr>& views, const std::string& profile, WallTime now);

/// The page at `/images/ID`: the verdict and why, the accounts with names and since when, the calls that
/// would end the drift, what happened, and the runbook. Without scripts; nothing from outside reaches it
/// unescaped.
std::string image_page(const ImagePageInput& input);

}  // namespace sharedrift
