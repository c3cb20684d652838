#pragma once

#include "core/ids.hpp"
#include "core/policy.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// What `baseline` adds to a config file.
struct NewExceptions {
  std::map<ImageId, std::vector<AccountId>> accounts;  ///< of every image to be written; may be none
  std::string expires;                                 ///< `YYYY-MM-DD`
};
/// The `images:` of a file of a configuration that parse_config() accepts, as they stand there, and new
/// exceptions without owner, ticket and reason; one that has ended gives way to its account's new one.
/// Nothing for a file without `images:`.
std::string images_section(std::string_view config_text, const NewExceptions& added);

/// Images that get an entry of their own.
struct FoundImages {
  std::vector<std::shared_ptr<const ImagePolicy>> images;  ///< as discovered
  Millis interval{};                                       ///< of images that say nothing else
  bool add_rule = false;                                   ///< for images to come: nobody may have them
};
/// A whole configuration: the one file `config_text`, or nothing, with every key as it stands but for its
/// comments, its images as of images_section(), and an entry for each image of `found`.
std::string whole_config(std::string_view config_text, const NewExceptions& added, const FoundImages& found);

}  // namespace sharedrift
