#pragma once

#include "core/event.hpp"
#include "core/ids.hpp"
#include "core/owned_images.hpp"
#include "core/policy.hpp"
#include "core/record.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace sharedrift {

/// A rule of the configuration for owned images that have no entry of their own; the first that fits counts.
struct DiscoverRule {
  std::string name;     ///< as written: a glob on the ImageName; empty: every name
  std::string profile;  ///< empty: every profile
  ImagePolicy policy;   ///< what an image of this rule may and must; its id, name and profile are the image's
  friend bool operator==(const DiscoverRule&, const DiscoverRule&) = default;
};

/// An owned image that nobody needs to watch, on somebody's word.
struct IgnoredImage {
  ImageId id;
  std::string owner;
  std::string reason;
  friend bool operator==(const IgnoredImage&, const IgnoredImage&) = default;
};

/// `*` stands for any text, `?` for one character of UTF-8; everything else for itself.
bool glob_fits(std::string_view pattern, std::string_view text);
/// What people call a rule: its glob, and its profile where it names one.
std::string label_of(const DiscoverRule& rule);

/// Which owned images are watched without an entry of their own, and by which rule. The rule that fitted
/// first stays an image's rule, whatever name it is given, until another configuration is loaded. An image
/// goes when its absence from the inventory is proven and `gone_for` has passed since. Pure; not thread-safe.
class Discovery {
 public:
  /// What of a configuration matters here.
  struct Setup {
    std::vector<DiscoverRule> rules;
    std::unordered_set<ImageId> configured;  ///< these have an entry
    std::unordered_set<ImageId> ignored;
    std::unordered_set<std::string> profiles;
    std::string config;  ///< its hash
    Millis gone_for{};
  };

  /// What an earlier life discovered.
  void restore(std::vector<DiscoveredImage> images);
  /// A configuration came into force. Images that no rule of it fits are watched no more.
  std::vector<Event> adopt(Setup setup, WallTime now);
  /// A walk of the profile's inventory ended with `news`.
  std::vector<Event> take(const std::string& profile, const OwnedImages& owned, const OwnedImages::News& news,
                          WallTime now);

  /// Grows with each change of what is watched.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] std::vector<DiscoveredImage> images() const;
  [[nodiscard]] std::vector<std::shared_ptr<const ImagePolicy>> policies() const;
  /// Configured or discovered.
  [[nodiscard]] bool watches(const ImageId& id) const {
    return setup_.configured.contains(id) || images_.contains(id);
  }
  [[nodiscard]] bool ignores(const ImageId& id) const { return setup_.ignored.contains(id); }

 private:
  struct Entry {
    DiscoveredImage image;
    const DiscoverRule* rule = nullptr;  ///< of setup_
    std::optional<WallTime> left;        ///< when its absence was proven
  };
  [[nodiscard]] const DiscoverRule* first_fit(const ImageId& id, std::string_view profile,
                                              std::string_view name) const;
  [[nodiscard]] const DiscoverRule* rule_called(std::string_view label) const;
  void discover(const std::string& profile, const ImageId& id, const OwnedImage& owned, WallTime now,
                std::vector<Event>& events);

  Setup setup_;
  std::map<ImageId, Entry> images_;
  std::uint64_t version_ = 0;
};

}  // namespace sharedrift
