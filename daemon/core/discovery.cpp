#include "core/discovery.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {

Event event_of(EventType type, const DiscoveredImage& image, WallTime now) {
  Event event{type, now, image.id.str(), {}};
  if (!image.name.empty() && image.name != image.id.str()) event.add("image_name", image.name);
  event.add("profile", image.profile);
  return event;
}

/// A byte of UTF-8 that begins none.
bool is_inside_a_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace

bool glob_fits(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::optional<std::size_t> star;  // the last one met, and where the text after it was tried
  std::size_t retry = 0;
  while (in < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      retry = in;
    } else if (at < pattern.size() && pattern[at] == '?') {
      ++at;
      for (++in; in < text.size() && is_inside_a_character(text[in]);)
        ++in;
    } else if (at < pattern.size() && pattern[at] == text[in]) {
      ++at;
      ++in;
    } else if (star) {
      at = *star + 1;
      in = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

std::string label_of(const DiscoverRule& rule) {
  const std::string name = rule.name.empty() ? "*" : rule.name;
  return rule.profile.empty() ? name : name + " of profile " + rule.profile;
}

/// An entry under `ignore` counts for what no rule names: a rule without a name names nothing.
const DiscoverRule* Discovery::first_fit(const ImageId& id, std::string_view profile,
                                         std::string_view name) const {
  const bool ignored = setup_.ignored.contains(id);
  const auto rule =
      std::find_if(setup_.rules.begin(), setup_.rules.end(), [&](const DiscoverRule& candidate) {
        if (!candidate.profile.empty() && candidate.profile != profile) return false;
        return candidate.name.empty() ? !ignored : glob_fits(candidate.name, name);
      });
  return rule == setup_.rules.end() ? nullptr : &*rule;
}

const DiscoverRule* Discovery::rule_called(std::string_view label) const {
  const auto rule = std::find_if(setup_.rules.begin(), setup_.rules.end(),
                                 [label](const DiscoverRule& one) { return label_of(one) == label; });
  return rule == setup_.rules.end() ? nullptr : &*rule;
}

void Discovery::restore(std::vector<DiscoveredImage> images) {
  for (DiscoveredImage& image : images) {
    const ImageId id = image.id;
    images_.insert_or_assign(id, Entry{std::move(image), nullptr, std::nullopt});
  }
}

std::vector<Event> Discovery::adopt(Setup setup, WallTime now) {
  setup_ = std::move(setup);
  ++version_;
  std::erase_if(left_out_, [this](const auto& profile) { return !setup_.profiles.contains(profile.first); });
  std::vector<Event> events;
  for (auto entry = images_.begin(); entry != images_.end();) {
    DiscoveredImage& image = entry->second.image;
    const bool same = image.config == setup_.config;  // a restart
    const DiscoverRule* rule = same ? rule_called(image.rule) : nullptr;
    if (rule == nullptr) rule = first_fit(image.id, image.profile, image.name);
    if (rule == nullptr || setup_.configured.contains(image.id) || !setup_.profiles.contains(image.profile)) {
      entry = images_.erase(entry);
      continue;
    }
    if (std::string label = label_of(*rule); label != image.rule) {
      Event event = event_of(EventType::image_policy_changed, image, now);
      event.add("from", std::exchange(image.rule, label));
      event.add("to", std::move(label));
      events.push_back(std::move(event));
    }
    image.config = setup_.config;
    entry->second.rule = rule;
    ++entry;
  }
  return events;
}

std::vector<Event> Discovery::take(const std::string& profile, const OwnedImages& owned,
                                   const OwnedImages::News& news, WallTime now) {
  std::vector<Event> events;
  if (!setup_.profiles.contains(profile)) return events;
  rename(owned, news, now, events);
  let_go(profile, owned, now, events);
  discover_all(profile, owned, now, events);
  return events;
}

void Discovery::rename(const OwnedImages& owned, const OwnedImages::News& news, WallTime now,
                       std::vector<Event>& events) {
  for (const auto& [id, before] : news.renamed) {
    const auto known = images_.find(id);
    if (known == images_.end()) continue;
    DiscoveredImage& image = known->second.image;
    image.name = owned.images().at(id).name;
    Event event = event_of(EventType::image_renamed, image, now);
    event.add("from", before);
    event.add("rule", image.rule);
    events.push_back(std::move(event));
    ++version_;
  }
}

void Discovery::let_go(const std::string& profile, const OwnedImages& owned, WallTime now,
                       std::vector<Event>& events) {
  for (auto entry = images_.begin(); entry != images_.end();) {
    Entry& known = entry->second;
    const bool here = known.image.profile != profile || owned.images().contains(entry->first);
    if (here && known.image.profile == profile) known.left.reset();
    if (!here && !known.left) known.left = now;
    if (!known.left || now - *known.left < setup_.gone_for) {
      ++entry;
      continue;
    }
    events.push_back(event_of(EventType::image_left, known.image, now));
    entry = images_.erase(entry);
    ++version_;
  }
}

void Discovery::discover_all(const std::string& profile, const OwnedImages& owned, WallTime now,
                             std::vector<Event>& events) {
  std::size_t left_out = owned.left_out();
  for (const auto& [id, image] : owned.images()) {
    if (!watches(id) && !discover(profile, id, image, now, events)) ++left_out;
  }
  const std::size_t before = std::exchange(left_out_[profile], left_out);
  if (left_out == 0 || before > 0) return;  // it is told when it begins
  events.push_back({EventType::images_left_out,
                    now,
                    "",
                    {{"profile", profile},
                     {"images", static_cast<std::int64_t>(left_out)},
                     {"discovered", static_cast<std::int64_t>(images_.size())}}});
}

bool Discovery::discover(const std::string& profile, const ImageId& id, const OwnedImage& owned, WallTime now,
                         std::vector<Event>& events) {
  const DiscoverRule* rule = first_fit(id, profile, owned.name);
  if (rule == nullptr) return true;
  if (images_.size() >= setup_.most) return false;
  DiscoveredImage image{id, profile, label_of(*rule), owned.name, owned.created, now, setup_.config};
  Event event = event_of(EventType::image_discovered, image, now);
  event.add("rule", image.rule);
  if (image.created && *image.created <= now) event.add("created", *image.created);
  events.push_back(std::move(event));
  images_.emplace(id, Entry{std::move(image), rule, std::nullopt});
  ++version_;
  return true;
}

std::vector<DiscoveredImage> Discovery::images() const {
  std::vector<DiscoveredImage> out;
  out.reserve(images_.size());
  for (const auto& [id, entry] : images_)
    out.push_back(entry.image);
  return out;
}

std::vector<std::shared_ptr<const ImagePolicy>> Discovery::policies() const {
  std::vector<std::shared_ptr<const ImagePolicy>> out;
  out.reserve(images_.size());
  for (const auto& [id, entry] : images_) {
    auto policy = std::make_shared<ImagePolicy>(entry.rule->policy);
    policy->id = id;
    policy->name = entry.image.name;
    policy->profile = entry.image.profile;
    policy->discovered = true;
    policy->created = entry.image.created;
    out.push_back(std::move(policy));
  }
  return out;
}

}  // namespace sharedrift
