#pragma once

#include "app/one_shot.hpp"
#include "config/config_files.hpp"
#include "config/diagnostic.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sharedrift {

/// What a single poll showed of a configuration, as warnings at the places of the images: allowed accounts
/// that an image is not shared with, ids that the account lacks, and what could not be read, a line for each
/// cause. `files` are those of `config`.
std::vector<Diagnostic> lint_polled(const std::vector<std::shared_ptr<const ImageView>>& views,
                                    const WalkedOnce& walked, const Config& config,
                                    const std::vector<ConfigFile>& files, WallTime now);

/// Of images that their account does not own: a question for the nearest id that it owns and that has no
/// entry, where one is near.
std::map<ImageId, std::string> meant_images(const std::vector<std::shared_ptr<const ImageView>>& views,
                                            const Inventories& inventories, const Config& config);

}  // namespace sharedrift
