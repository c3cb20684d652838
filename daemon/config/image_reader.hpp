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

/// Reads what is watched into `config`, which is the context's: `images:`, `discover:` and `ignore:`, with
/// the `defaults:` of the file. What is wrong was reported, and such entries are left out.
void read_watched(YamlReader& reader, const Fields& root, const ImageContext& context, Config& config);

}  // namespace sharedrift
