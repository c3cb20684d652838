#include "config/image_reader.hpp"

#include "config/config_keys.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {

void sort_unique(std::vector<AccountId>& accounts) {
  std::sort(accounts.begin(), accounts.end());
  accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
}

constexpr std::size_t kMostFromGroups = 5'000'000;  ///< some 120 MB
constexpr std::size_t kMostSearched = 20;

class ImageReader {
 public:
  ImageReader(YamlReader& reader, ImageContext& context) : reader_(reader), context_(context) {
    for (const ProfileConfig& profile : context.config.profiles)
      profile_names_.push_back(profile.name);
    for (const auto& [name, members] : context.groups)
      group_names_.push_back(name);
  }

  /// Nothing if the image has no usable id; other faults leave gaps that nobody will see.
  std::shared_ptr<const ImagePolicy> read_image(const Place& at) {
    Fields fields(reader_, at, kImageKeys);
    const auto id_place = fields.require("id");
    const auto id = id_place ? read_new_id(*id_place, context_.image_origins) : std::nullopt;
    ImagePolicy policy{id.value_or(*ImageId::parse("unreadable"))};
    fields.with("name", [&](const Place& p) { reader_.text(p, {}, policy.name); });
    fields.with("profile", [&](const Place& p) { reader_.text(p, {1, 64}, policy.profile); });
    if (const auto profile = fields.find("profile")) {
      check_profile(*profile, policy.profile);
    } else if (!has_profile(policy.profile) && !std::exchange(context_.default_missed, true)) {
      // all such images have one mistake in common
      reader_.fail(at, "there is no profile \"default\"", "name one with the key profile");
    }
    read_policy(fields, policy);
    fields.with("canary", [&](const Place& p) { reader_.boolean(p, policy.canary); });
    return id ? std::make_shared<const ImagePolicy>(std::move(policy)) : nullptr;
  }

  DiscoverRule read_rule(const Place& at) {
    static constexpr std::array<RefusedKey, 2> kRefused{
        {{"id", "a rule fits by name and profile, never by id", "an image of a known id belongs in images"},
         {"canary", "a rule makes no canaries", "a canary is one known image: name it in images"}}};
    Fields fields(reader_, at, kRuleKeys, kRefused);
    DiscoverRule rule{"", "", ImagePolicy{*ImageId::parse("discovered")}};
    fields.with("name", [&](const Place& p) { reader_.text(p, {1, 200}, rule.name); });
    fields.with("profile", [&](const Place& p) {
      if (reader_.text(p, {1, 64}, rule.profile)) check_profile(p, rule.profile);
    });
    read_policy(fields, rule.policy);
    return rule;
  }

  std::optional<IgnoredImage> read_ignored(const Place& at) {
    Fields fields(reader_, at, kIgnoredKeys);
    const auto id_place = fields.require("id");
    const auto id = id_place ? read_new_id(*id_place, context_.ignored_origins) : std::nullopt;
    std::array<std::string, 2> texts;
    const bool whole = read_words(fields, at, {"owner", "reason"}, texts);
    if (!id || !whole) return std::nullopt;
    const auto watched = context_.image_origins.find(id->str());
    if (watched != context_.image_origins.end()) {
      reader_.fail(*id_place, "image " + in_quotes(id->str()) + " is watched: it is in images as well",
                   "see " + reader_.name_of(watched->second));
    }
    return IgnoredImage{*id, std::move(texts[0]), std::move(texts[1])};
  }

  void read_defaults(const Place& at) {
    const Fields fields(reader_, at, kDefaultsKeys);
    fields.with("team", [&](const Place& p) { reader_.text(p, {}, defaults_.team); });
    fields.with("severity", [&](const Place& p) { reader_.text(p, {}, defaults_.severity); });
    fields.with("interval", [&](const Place& p) {
      Millis interval{};
      if (read_interval(p, interval)) defaults_.interval = interval;
    });
  }

 private:
  /// What an entry has that does not say otherwise.
  struct Defaults {
    std::string team;
    std::string severity;
    std::optional<Millis> interval;
  };

  /// What an image and a rule have in common.
  void read_policy(Fields& fields, ImagePolicy& policy) {
    policy.team = defaults_.team;
    policy.severity = defaults_.severity;
    policy.interval = defaults_.interval.value_or(context_.config.poll.interval);
    fields.with("team", [&](const Place& p) { reader_.text(p, {}, policy.team); });
    fields.with("severity", [&](const Place& p) { reader_.text(p, {}, policy.severity); });
    fields.with("interval", [&](const Place& p) { read_interval(p, policy.interval); });
    policy.stale_after = stale_after_of(context_.config.poll, policy.interval);
    fields.with("required", [&](const Place& p) { read_grants(p, policy.required); });
    if (const auto allowed = fields.require("allowed")) read_grants(*allowed, policy.allowed);
    fields.with("exceptions", [&](const Place& p) { read_exceptions(p, policy.exceptions); });
  }

  std::optional<ImageId> read_new_id(const Place& at, Origins& origins) {
    if (!reader_.expect_scalar(at, "an image id")) return std::nullopt;
    auto id = ImageId::parse(reader_.raw(at));
    if (!id) {
      reader_.fail(at, in_quotes(reader_.raw(at)) + " is not an image id",
                   "1 to 128 letters, digits, dots, hyphens and underscores, a letter or digit first");
      return std::nullopt;
    }
    const auto [first, is_new] = origins.emplace(reader_.raw(at), reader_.origin(at));
    if (is_new) return id;
    reader_.fail(at, "image " + in_quotes(id->str()) + " is in the list already",
                 "first on " + reader_.name_of(first->second));
    return std::nullopt;
  }

  [[nodiscard]] bool has_profile(std::string_view name) const {
    return !context_.profiles_known ||
           std::find(profile_names_.begin(), profile_names_.end(), name) != profile_names_.end();
  }
  void check_profile(const Place& at, const std::string& name) {
    if (!has_profile(name))
      reader_.fail(at, "there is no profile " + in_quotes(name), did_you_mean(name, profile_names_));
  }

  bool read_interval(const Place& at, Millis& out) {
    const auto stale_after = context_.config.poll.stale_after;
    if (!reader_.duration(at, kShortestInterval, kLongestInterval, out)) return false;
    if (!stale_after || out <= *stale_after) return true;
    reader_.fail(at, format_duration(out) + " is longer than poll.stale_after (" +
                         format_duration(*stale_after) +
                         "): every 0 would be withdrawn before the next poll");
    return false;
  }

  /// `required` or `allowed`: account ids and group:NAME.
  void read_grants(const Place& list, std::vector<AccountId>& out) {
    reader_.expect_list(list);
    grants_.clear();
    reader_.each_item(list, [&](const Place& at) { read_grant(at); });
    sort_unique(grants_);
    out.assign(grants_.begin(), grants_.end());  // room for just so many: a fleet has many lists
  }

  void read_grant(const Place& at) {
    if (reader_.kind(at) == YamlKind::map) {
      reader_.fail(at, "expected an account id or group:NAME, found a map",
                   "no blank after the colon of group:NAME");
      return;
    }
    if (!reader_.expect_scalar(at, "an account id or group:NAME")) return;
    const std::string_view entry = reader_.raw(at);
    if (entry.starts_with(kGroupPrefix)) {
      read_group_grant(at, entry.substr(kGroupPrefix.size()));
    } else if (const auto id = AccountId::parse(entry)) {
      grants_.push_back(*id);
    } else {
      refuse_name(at, entry);
    }
  }

  void read_group_grant(const Place& at, std::string_view name) {
    const auto group = context_.groups.find(name);
    if (group != context_.groups.end()) {
      take_group(at, group->second);
    } else if (context_.groups_known) {
      // One wrong command may misspell thousands of names, and each would be held against thousands.
      const bool searched = context_.searched_groups++ < kMostSearched;
      const std::string_view near = searched ? nearest(name, group_names_) : std::string_view{};
      reader_.fail(
          at, "there is no group " + in_quotes(name),
          near.empty() ? "" : "did you mean " + in_quotes(std::string(kGroupPrefix).append(near)) + "?");
    }
  }

  /// Each image has its own copy of a group's accounts.
  void take_group(const Place& at, const std::vector<AccountId>& members) {
    context_.from_groups += members.size();
    if (context_.from_groups <= kMostFromGroups) {
      grants_.insert(grants_.end(), members.begin(), members.end());
    } else if (!std::exchange(context_.too_many_told, true)) {
      reader_.fail(at,
                   "groups that are named by images hold more than " + std::to_string(kMostFromGroups) +
                       " accounts together, counted anew for each image",
                   "use smaller groups, or watch some of the images with another exporter");
    }
  }

  /// Names are for people: one that somebody else may give himself must never grant anything.
  void refuse_name(const Place& at, std::string_view entry) {
    if (context_.groups.contains(entry)) {
      reader_.fail(at, in_quotes(entry) + " is not an account id",
                   "did you mean " + in_quotes(std::string(kGroupPrefix).append(entry)) + "?");
      return;
    }
    for (const auto& [id, name] : context_.config.account_names) {
      if (name != entry) continue;
      reader_.fail(at, in_quotes(entry) + " is a name of the address book; grants are given to account ids",
                   "write " + in_quotes(id.str()));
      return;
    }
    reader_.fail(at, in_quotes(entry) + " is not an account id", "1 to 20 digits, or group:NAME");
  }

  void read_exceptions(const Place& list, std::vector<Exception>& out) {
    reader_.expect_list(list);
    std::unordered_map<AccountId, int> seen;
    reader_.each_item(list, [&](const Place& at) {
      auto exception = read_exception(at, seen);
      if (exception) out.push_back(std::move(*exception));
    });
    std::sort(out.begin(), out.end(),
              [](const Exception& a, const Exception& b) { return a.account < b.account; });
  }

  std::optional<Exception> read_exception(const Place& at, std::unordered_map<AccountId, int>& seen) {
    Fields fields(reader_, at, kExceptionKeys);
    const auto account_place = fields.require("account");
    const auto account = account_place ? reader_.account(*account_place) : std::nullopt;
    const auto expires_place = fields.require("expires");
    const auto expires = expires_place ? read_expires(*expires_place) : std::nullopt;
    std::array<std::string, 3> texts;
    const bool whole = read_words(fields, at, {"owner", "ticket", "reason"}, texts);
    if (!whole || !account || !expires) return std::nullopt;
    const auto [first, is_new] = seen.emplace(*account, reader_.line(*account_place));
    if (!is_new) {
      reader_.fail(*account_place, "account " + in_quotes(account->str()) + " has an exception already",
                   "first on line " + std::to_string(first->second));
      return std::nullopt;
    }
    return Exception{*account, *expires, std::move(texts[0]), std::move(texts[1]), std::move(texts[2])};
  }

  /// Words that somebody must have written. Whether all are there. Where several lack, one message names
  /// them: the draft that `baseline` prints lacks all of them, in every exception.
  template <std::size_t N>
  bool read_words(Fields& fields, const Place& at, const std::array<std::string_view, N>& keys,
                  std::array<std::string, N>& texts) {
    std::vector<std::string_view> lacking;
    for (const std::string_view key : keys) {
      const auto place = fields.find(key);
      const bool scalar = place && reader_.kind(*place) == YamlKind::scalar;
      if (!place || (scalar && trim(reader_.raw(*place)).empty())) lacking.push_back(key);
    }
    if (lacking.size() > 1 && reader_.kind(at) == YamlKind::map) {
      std::string names{lacking.front()};
      for (std::size_t i = 1; i < lacking.size(); ++i)
        names.append(i + 1 < lacking.size() ? ", " : " and ").append(lacking.at(i));
      reader_.fail(at, names + " must be given", "somebody answers for each entry");
      return false;
    }
    bool whole = true;
    for (std::size_t i = 0; i < N; ++i) {
      const auto place = fields.require(keys.at(i));
      whole = place && reader_.text(*place, {1, 500}, texts.at(i)) && whole;
    }
    return whole;
  }

  std::optional<WallTime> read_expires(const Place& at) {
    if (!reader_.expect_scalar(at, "a date")) return std::nullopt;
    const std::string_view value = reader_.raw(at);
    auto moment = parse_end_of_day(value);
    if (!moment) moment = parse_rfc3339(value);
    if (!moment) {
      reader_.fail(at, in_quotes(value) + " is neither a date nor a time",
                   "such as 2027-03-31, which ends with that day in UTC, or 2027-03-31T12:00:00Z");
    }
    return moment;
  }

  YamlReader& reader_;
  ImageContext& context_;
  Defaults defaults_;
  std::vector<std::string_view> profile_names_;
  std::vector<std::string_view> group_names_;
  std::vector<AccountId> grants_;  ///< of the list that is being read
};

}  // namespace

void read_groups(YamlReader& reader, const Place& at, ImageContext& context) {
  if (!reader.expect_map(at)) context.groups_known = false;
  reader.each_entry(at, [&](std::string_view name, const Place& list) {
    if (!is_config_name(name)) {
      reader.fail_key(list, in_quotes(name) + " cannot be the name of a group",
                      "1 to 64 letters, digits, dots, hyphens and underscores");
    }
    const auto [first, is_new] = context.group_origins.emplace(name, reader.origin(list));
    if (!is_new && reader.is_elsewhere(first->second)) {
      reader.fail_key(list, "group " + in_quotes(name) + " is defined already",
                      "first on " + reader.name_of(first->second));
    }
    const auto [group, added] = context.groups.try_emplace(std::string(name));
    if (!added) return;
    reader.expect_list(list);
    reader.each_item(list, [&, members = &group->second](const Place& item) {
      if (reader.kind(item) == YamlKind::scalar && reader.raw(item).starts_with(kGroupPrefix)) {
        reader.fail(item, "a group cannot hold groups", "write its accounts out");
      } else if (const auto id = reader.account(item)) {
        members->push_back(*id);
      }
    });
    sort_unique(group->second);
  });
}

void read_images(YamlReader& reader, const Fields& root, ImageContext& context, Config& config) {
  ImageReader entries(reader, context);
  root.with("defaults", [&](const Place& at) { entries.read_defaults(at); });
  root.with("images", [&](const Place& at) {
    reader.expect_list(at);
    reader.each_item(at, [&](const Place& item) {
      if (auto image = entries.read_image(item)) config.images.push_back(std::move(image));
    });
  });
  root.with("discover", [&](const Place& at) {
    reader.expect_list(at);
    reader.each_item(at, [&](const Place& item) { config.discover.push_back(entries.read_rule(item)); });
  });
}

void read_ignored(YamlReader& reader, const Place& at, ImageContext& context, Config& config) {
  reader.expect_list(at);
  ImageReader entries(reader, context);
  reader.each_item(at, [&](const Place& item) {
    if (auto ignored = entries.read_ignored(item)) config.ignored.push_back(std::move(*ignored));
  });
}

}  // namespace sharedrift
