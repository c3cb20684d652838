#pragma once

#include "config/config.hpp"
#include "config/yaml_reader.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sharedrift {

/// Where each of some ids stands. The keys are those of the files' trees, which outlive it.
using Origins = std::unordered_map<std::string_view, Origin>;

/// What the images may refer to, and which there are already.
struct ImageContext {
  const Config& config;  ///< profiles, poll and account_names are read
  std::map<std::string, std::vector<AccountId>, std::less<>> groups;
  bool groups_known = true;    ///< false: `groups:` itself is broken, so that no name can be called unknown
  bool profiles_known = true;  ///< the same of `profiles:`
  Origins group_origins;
  Origins image_origins;
  Origins ignored_origins;
  std::size_t from_groups = 0;      ///< accounts that images have from groups
  bool too_many_told = false;       ///< they are too many, which was said
  std::size_t searched_groups = 0;  ///< that are not there, and were held against those that are
  bool default_missed = false;      ///< it was said that there is no profile "default"
};

/// Reads the `groups:` of a file into the context.
void read_groups(YamlReader& reader, const Place& at, ImageContext& context);

/// Reads a file's `images:` and `discover:` with its `defaults:` into `config`, which is the context's. What
/// is wrong was reported, and such entries are left out.
void read_images(YamlReader& reader, const Fields& root, ImageContext& context, Config& config);

/// The same of a file's `ignore:`, once the images of all files are read.
void read_ignored(YamlReader& reader, const Place& at, ImageContext& context, Config& config);

}  // namespace sharedrift
