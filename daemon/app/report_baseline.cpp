#include "app/report_words.hpp"
#include "config/baseline_writer.hpp"
#include "core/discovery.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <set>

namespace sharedrift {

namespace {

NewExceptions new_exceptions(const ReportInput& input) {
  constexpr auto kReviewWithin = std::chrono::hours{24 * 90};
  NewExceptions added;
  added.expires = format_rfc3339(input.now + kReviewWithin).substr(0, 10);
  for (const auto& view : input.views)
    added.accounts[view->policy->id] = unwanted(*view);
  return added;
}

/// What a baseline says before its YAML.
std::string remarks(const ReportInput& input) {
  std::string out;
  const bool shared = std::any_of(input.views.begin(), input.views.end(),
                                  [](const auto& view) { return !unwanted(*view).empty(); });
  if (shared) out += "# Give each new exception an owner, a ticket and a reason, or end the share.\n";
  for (const auto& view : input.views) {
    const std::string image = "# " + image_label(*view) + ": ";
    for (const AccountId& account : accounts_of(*view, DriftKind::missing))
      out += image + "missing: " + account_label(account, input) + "\n";
  }
  return out + blind_lines(input, "# ", kAll, ": could not tell, so more may be shared");
}

/// Discovered images that need an entry: no rule but the last one fits, or their rule does not allow what is
/// shared.
FoundImages found_images(const ReportInput& input, const Config& config) {
  FoundImages found{{}, config.poll.interval, config.discover.size() == 1};
  std::set<ImageId> configured;
  for (const auto& image : config.images)
    configured.insert(image->id);
  for (const auto& view : input.views) {
    const ImagePolicy& policy = *view->policy;
    if (configured.contains(policy.id)) continue;
    const bool has_rule =
        std::any_of(config.discover.begin(), config.discover.end() - 1, [&policy](const DiscoverRule& rule) {
          return (rule.profile.empty() || rule.profile == policy.profile) &&
                 (rule.name.empty() || glob_fits(rule.name, policy.name));
        });
    if (!has_rule || !unwanted(*view).empty()) found.images.push_back(view->policy);
  }
  return found;
}

/// The images of each file under its name.
std::string sections(const std::vector<ConfigFile>& files, const NewExceptions& added) {
  std::string out;
  for (const ConfigFile& file : files) {
    if (const std::string images = images_section(file.text, added); !images.empty())
      out.append("--- # ").append(clean(file.name)).append("\n").append(images);
  }
  return out;
}

}  // namespace

std::string report_baseline(const ReportInput& input, const std::vector<ConfigFile>& files) {
  std::string out = "# What is shared at " + format_rfc3339(input.now) + ", in place of the images of " +
                    clean(input.config_file) + ".\n" + remarks(input);
  const NewExceptions added = new_exceptions(input);
  return out + (files.size() == 1 ? images_section(files.front().text, added) : sections(files, added));
}

std::string report_whole_baseline(const ReportInput& input, const std::vector<ConfigFile>& files,
                                  const Config& config) {
  const std::string file =
      files.front().text.empty() ? "" : ", with what stands in " + clean(input.config_file);
  std::string out = "# What is owned and shared at " + format_rfc3339(input.now) + file + ".\n";
  if (!input.doubts.empty()) out += "# This is not the whole of it: images may be owned that are not here.\n";
  out += remarks(input);
  const NewExceptions added = new_exceptions(input);
  const FoundImages found = found_images(input, config);
  if (files.size() == 1) return out + whole_config(files.front().text, added, found);
  return out + sections(files, added) + "--- # a new file\n" + whole_config("", added, found);
}

}  // namespace sharedrift
