#pragma once

#include "core/event.hpp"
#include "core/ids.hpp"
#include "core/owned_images.hpp"
#include "core/policy.hpp"
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
/// goes when its absence from the inventory is proven and `gone_for` has passed since. An API that invents
/// images without end must not fill memory, log and request budget: there is room for a number, and who is
/// discovered stays. Pure; not thread-safe.
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
    std::size_t most = 50'000;  ///< images: far beyond a real account, and within the unit's memory
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
  /// How many images of the profile's last inventory are not watched for want of room, here or in
  /// OwnedImages.
  [[nodiscard]] std::size_t left_out(const std::string& profile) const {
    const auto count = left_out_.find(profile);
    return count == left_out_.end() ? 0 : count->second;
  }

 private:
  struct Entry {
    DiscoveredImage image;
    const DiscoverRule* rule = nullptr;  ///< of setup_
    std::optional<WallTime> left;        ///< when its absence was proven
  };
  [[nodiscard]] const DiscoverRule* first_fit(const ImageId& id, std::string_view profile,
                                              std::string_view name) const;
  [[nodiscard]] const DiscoverRule* rule_called(std::string_view label) const;
  void rename(const OwnedImages& owned, const OwnedImages::News& news, WallTime now,
              std::vector<Event>& events);
  /// False: a rule fits, and there is no room.
  bool discover(const std::string& profile, const ImageId& id, const OwnedImage& owned, WallTime now,
                std::vector<Event>& events);
  void discover_all(const std::string& profile, const OwnedImages& owned, WallTime now,
                    std::vector<Event>& events);
  void let_go(const std::string& profile, const OwnedImages& owned, WallTime now, std::vector<Event>& events);

  Setup setup_;
  std::map<ImageId, Entry> images_;
  std::map<std::string, std::size_t> left_out_;  ///< by profile
  std::uint64_t version_ = 0;
};

}  // namespace sharedrift
