#pragma once

#include "config/config.hpp"
#include "config/yaml_reader.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sharedrift {

/// What the images may refer to.
struct ImageContext {
  const Config& config;  ///< profiles, poll and account_names are read
  std::map<std::string, std::vector<AccountId>, std::less<>> groups;
  bool groups_known = true;    ///< false: `groups:` itself is broken, so that no name can be called unknown
  bool profiles_known = true;  ///< the same of `profiles:`
};

/// Reads `groups:` into the context.
void read_groups(YamlReader& reader, const Place& at, ImageContext& context);

/// Reads `images:`. What is wrong was reported, and such images are left out.
std::vector<std::shared_ptr<const ImagePolicy>> read_images(YamlReader& reader, const Place& at,
                                                            const ImageContext& context);

}  // namespace sharedrift
