#pragma once

#include "core/view.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sharedrift {

/// How things stand after one poll. Drift outranks not knowing, not knowing outranks being in sync.
enum class Verdict { in_sync, drift, unknown };
std::string_view to_string(Verdict verdict);
Verdict verdict_of(const ImageView& view);
Verdict verdict_of(const std::vector<std::shared_ptr<const ImageView>>& views);
/// The exit code of check and plan: 0 in sync, 1 drift, 3 could not tell.
int exit_code(Verdict verdict);

/// What every report needs.
struct ReportInput {
  std::vector<std::shared_ptr<const ImageView>> views;  ///< in the order of the config
  std::map<AccountId, std::string> account_names;
  std::string config_file;
  WallTime now;
};

/// For people: a row per image, then what is wrong with each.
std::string report_table(const ReportInput& input);
/// One JSON object: verdict, time, images with their accounts.
std::string report_json(const ReportInput& input);
/// SARIF 2.1.0: a result per unexpected and missing account and per image that could not be judged. Accounts
/// that an exception lets in are results with a suppression. Never a baselineState: one poll cannot know it.
std::string report_sarif(const ReportInput& input);
/// The aliyun calls that would end the drift, one account each, as shell lines to read first. Never run by
/// us. `endpoints` by profile: hosts that the aliyun command would not take by itself.
std::string report_plan(const ReportInput& input, const std::map<std::string, std::string>& endpoints);
/// What is shared now as an `images:` section: what no list lets in becomes an exception of 90 days whose
/// owner, ticket and reason are empty, which the config check refuses until somebody answers for it.
std::string report_baseline(const ReportInput& input);

}  // namespace sharedrift
