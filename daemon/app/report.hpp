#pragma once

#include "config/config.hpp"
#include "config/config_files.hpp"
#include "core/owned_images.hpp"
#include "core/verdict.hpp"
#include "core/watch_list.hpp"
#include "web/plan.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sharedrift {

/// The exit code of check and plan: 0 in sync, 1 drift, 3 unknown.
int exit_code(Verdict verdict);

/// What every report needs.
struct ReportInput {
  std::vector<std::shared_ptr<const ImageView>> views;  ///< in the order of the config
  AccountNames account_names;
  std::string config_file;  ///< or several, for a sentence
  WallTime now;
  std::map<ImageId, std::string> image_files{};  ///< by image, where several files are one configuration
  std::map<std::string, InventoryView> inventories{};  ///< by profile: what else the accounts own
  std::vector<std::string> doubts{};                   ///< why not all images may be known
  std::map<ImageId, std::string> meant{};  ///< by image that is gone: which other may be meant, if one may
  bool hides_images = false;               ///< rules hang on an inventory that is not complete
};
VerdictCounts count_verdicts(const ReportInput& input);
/// What is owned and watched by nobody, a sentence for each profile.
std::vector<std::string> unwatched(const ReportInput& input);

/// For people: the verdict on all, a row per image, the worst first, then what is wrong with each.
std::string report_table(const ReportInput& input);
/// One JSON object: verdict, time, and the images as the JSON API has them.
std::string report_json(const ReportInput& input);
/// SARIF 2.1.0: a result per unexpected and missing account and per image that could not be judged. Accounts
/// that an exception allows are results with a suppression; a canary's account is none. Never a
/// baselineState: one poll cannot know it.
std::string report_sarif(const ReportInput& input);
/// The aliyun calls that would end the drift, one account each, as shell lines to read first. Never run by
/// us, and never the call that would silence a canary.
std::string report_plan(const ReportInput& input, const Endpoints& endpoints);
/// The `images:` of each of `files`, which are the configuration that was polled, with what is shared now and
/// not allowed as exceptions of 90 days. Their owner, ticket and reason are empty, which the loader refuses
/// until somebody answers for them.
std::string report_baseline(const ReportInput& input, const std::vector<ConfigFile>& files);
/// The same as a whole configuration. `config` is that of `files`, and a last rule of its own for what no
/// other fits: images of that rule get entries, and those of others that are shared with more accounts than
/// their rule allows. Several files stay several, and the entries become another.
std::string report_whole_baseline(const ReportInput& input, const std::vector<ConfigFile>& files,
                                  const Config& config);

}  // namespace sharedrift
