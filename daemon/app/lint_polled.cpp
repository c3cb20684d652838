#include "app/lint_polled.hpp"

#include "app/report_words.hpp"
#include "config/config_lint.hpp"
#include "config/yaml_reader.hpp"
#include "core/policy.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {

using Remarks = std::multimap<std::string, ImageRemark>;

/// A question for the nearest id that the account owns and that has no entry; empty: none is near.
std::string meant_image(const ImagePolicy& image, const Inventories& inventories, const Config& config) {
  std::vector<std::string_view> free;
  const auto inventory = inventories.find(image.profile);
  if (inventory == inventories.end()) return "";
  for (const auto& [owned, known] : inventory->second.images()) {
    const bool named = std::any_of(config.images.begin(), config.images.end(),
                                   [&owned = owned](const auto& policy) { return policy->id == owned; });
    if (!named) free.push_back(owned.str());
  }
  return did_you_mean(image.id.str(), free);
}

/// Of an id that the account of its profile does not own.
ImageRemark unknown_image(const ImagePolicy& image, const Inventories& inventories, const Config& config) {
  const std::string hint = meant_image(image, inventories, config);
  return {"the account of profile " + image.profile + " has no image " + in_quotes(image.id.str()),
          hint.empty() ? "correct the id, or take the entry out if the image was deleted" : hint};
}

/// Why an image could not be read. Where its inventory could not, that may be the cause.
std::string cause_of(const ImageView& view, const WalkedOnce& walked) {
  if (!view.last_failure) return "not read";
  const auto inventory = walked.blind.find(view.policy->profile);
  const bool follows =
      view.last_failure->reason == Reason::ownership_unknown && inventory != walked.blind.end();
  return cause_of(follows ? inventory->second : *view.last_failure);
}

void remark_unused(const ImageView& view, WallTime now, Remarks& remarks) {
  const std::string& id = view.policy->id.str();
  for (const AccountId& account : unused_entries(*view.policy, view.sightings, now)) {
    remarks.emplace(id, ImageRemark{id + ": " + std::string{account.str()} +
                                    " is allowed, but the image is not shared with it"});
  }
}

/// Each cause once, at the first image that it struck.
void remark_causes(const Causes& causes, std::map<std::string, std::string>& first_struck, Remarks& remarks) {
  constexpr std::size_t kNamed = 5;
  for (const Causes::Cause& cause : causes.all()) {
    remarks.emplace(
        first_struck[cause.text],
        ImageRemark{listed_names(cause.names, kNamed) +
                    " could not be read whole, so what is unused or mistyped is not known: " + cause.text});
  }
}

}  // namespace

std::map<ImageId, std::string> meant_images(const std::vector<std::shared_ptr<const ImageView>>& views,
                                            const Inventories& inventories, const Config& config) {
  std::map<ImageId, std::string> meant;
  for (const auto& view : views) {
    if (view->state != ImageState::gone) continue;
    if (std::string hint = meant_image(*view->policy, inventories, config); !hint.empty())
      meant.emplace(view->policy->id, std::move(hint));
  }
  return meant;
}

std::vector<Diagnostic> lint_polled(const std::vector<std::shared_ptr<const ImageView>>& views,
                                    const WalkedOnce& walked, const Config& config,
                                    const std::vector<ConfigFile>& files, WallTime now) {
  Remarks remarks;
  Causes causes;
  std::map<std::string, std::string> first_struck;  // by cause
  for (const auto& [profile, failure] : walked.blind)
    causes.add(cause_of(failure), "the inventory of profile " + profile);
  for (const std::string& why : doubts({{}, {}, {}, walked.own_nothing}, config))
    remarks.emplace("", ImageRemark{why});
  for (const auto& view : views) {
    const std::string& id = view->policy->id.str();
    const std::string& profile = view->policy->profile;
    if (view->listing_complete) {
      remark_unused(*view, now, remarks);
    } else if (view->state != ImageState::gone) {
      const std::string cause = cause_of(*view, walked);
      causes.add(cause, id);
      first_struck.emplace(cause, id);
    } else if (!walked.own_nothing.contains(profile)) {
      remarks.emplace(id, unknown_image(*view->policy, walked.inventories, config));
    }
  }
  remark_causes(causes, first_struck, remarks);
  return lint_images(files, std::move(remarks));
}

}  // namespace sharedrift
