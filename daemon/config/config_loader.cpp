#include "config/config_loader.hpp"

#include "config/config_keys.hpp"
#include "config/image_reader.hpp"
#include "config/parsed_file.hpp"
#include "config/profile_reader.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace sharedrift {

namespace {

/// Turns the trees of the files into a Config. Sections are read in the order in which they need each other;
/// the diagnostics are sorted afterwards.
class Loader {
 public:
  explicit Loader(ParsedFiles& files) : files_(files) {}

  Config run(Watching watching) {
    once("profiles", [this](YamlReader& reader, const Place& at) { read_profiles(reader, at); });
    if (config_.profiles.empty()) config_.profiles.emplace_back().name = "default";
    once("poll", [this](YamlReader& reader, const Place& at) { read_poll(reader, at); });
    files_.with("accounts", [this](YamlReader& reader, const Place& at) { read_accounts(reader, at); });
    const bool all_known = files_.all_whole();
    ImageContext context{config_, {}, all_known, all_known && profiles_known_};
    files_.with("groups", [&](YamlReader& reader, const Place& at) { read_groups(reader, at, context); });
    config_.inventory.interval = config_.poll.interval;
    once("inventory", [this](YamlReader& reader, const Place& at) { read_inventory(reader, at); });
    for (ParsedFile& file : files_) {
      const std::size_t before = config_.images.size();
      if (file.root() != nullptr) read_images(file.reader(), *file.root(), context, config_);
      config_.files.push_back({file.name(), config_.images.size() - before});
    }
    files_.with("ignore",
                [&](YamlReader& reader, const Place& at) { read_ignored(reader, at, context, config_); });
    if (all_known && watching == Watching::something) check_that_something_is_watched();
    return std::move(config_);
  }

 private:
  /// A section that stands in one of the files.
  template <class F>
  void once(std::string_view key, F read) {
    std::optional<Origin> first;
    files_.with(key, [&](YamlReader& reader, const Place& at) {
      if (!first) {
        first = reader.origin(at);
        read(reader, at);
      } else {
        reader.fail_key(at, "stands in one file of a configuration alone",
                        "first on " + reader.name_of(*first));
      }
    });
  }

  void check_that_something_is_watched() {
    bool listed = false;
    bool named = false;
    for (const std::string_view key : {"images", "discover"}) {
      files_.with(key, [&](YamlReader& reader, const Place& at) {
        listed = true;
        named = named || !reader.is_empty_list(at);
        if (key == "discover" && !config_.inventory.enabled && !reader.is_empty_list(at)) {
          reader.fail_key(at, "needs the inventory, which is off", "take `inventory: off` out");
        }
      });
    }
    YamlReader& first = files_.begin()->reader();
    if (!listed && first.kind(first.root()) == YamlKind::map) {
      first.fail(first.root(), "the key \"images\" is missing",
                 "`share-drift-exporter baseline --all` writes it: every image that the account owns");
    }
    if (named) return;
    bool told = false;
    for (const std::string_view key : {"images", "discover"}) {
      files_.with(key, [&](YamlReader& reader, const Place& at) {
        if (!std::exchange(told, true))
          reader.fail(at, "names no image", "a monitor that watches nothing is never meant");
      });
    }
  }

  void read_profiles(YamlReader& reader, const Place& profiles) {
    profiles_known_ = reader.expect_map(profiles);
    reader.each_entry(profiles, [&](std::string_view name, const Place& at) {
      const auto same = [name](const ProfileConfig& p) { return p.name == name; };
      if (std::any_of(config_.profiles.begin(), config_.profiles.end(), same)) return;  // a duplicate key
      if (!is_config_name(name)) {
        reader.fail_key(at, in_quotes(name) + " cannot be the name of a profile",
                        "1 to 64 letters, digits, dots, hyphens and underscores");
      }
      config_.profiles.push_back(read_profile(reader, name, at));
    });
    if (profiles_known_ && config_.profiles.empty()) {
      reader.fail(profiles, "names no profile", "leave the key out for one profile with the defaults");
      profiles_known_ = false;
    }
    std::sort(config_.profiles.begin(), config_.profiles.end(),
              [](const ProfileConfig& a, const ProfileConfig& b) { return a.name < b.name; });
  }

  void read_poll(YamlReader& reader, const Place& at) {
    PollConfig& poll = config_.poll;
    const Fields fields(reader, at, kPollKeys);
    bool known = true;
    fields.with("interval", [&](const Place& p) {
      known = reader.duration(p, kShortestInterval, kLongestInterval, poll.interval);
    });
    fields.with("stale_after", [&](const Place& p) {
      Millis stale_after{};
      if (!reader.duration(p, kShortestInterval, kLongestStaleAfter, stale_after) || !known) return;
      if (stale_after >= poll.interval) {
        poll.stale_after = stale_after;
        return;  // one mistake is one message: otherwise no image is measured by it
      }
      reader.fail(p, format_duration(stale_after) + " is shorter than poll.interval (" +
                         format_duration(poll.interval) +
                         "): every 0 would be withdrawn before the next poll");
    });
    fields.with("spread", [&](const Place& p) { reader.choice(p, kSpreads, poll.spread); });
    read_members(reader, fields, kPollMembers, poll);
  }

  void read_inventory(YamlReader& reader, const Place& at) {
    if (reader.kind(at) == YamlKind::scalar) {
      config_.inventory.enabled = reader.raw(at) != kInventoryOff;
      if (config_.inventory.enabled) {
        reader.fail(at, "expected a map or off, found " + in_quotes(reader.raw(at)),
                    "it is on unless it is off");
      }
      return;
    }
    const Fields fields(reader, at, kInventoryKeys);
    fields.with("interval", [&](const Place& p) {
      reader.duration(p, kShortestInterval, kLongestInterval, config_.inventory.interval);
    });
  }

  void read_accounts(YamlReader& reader, const Place& at) {
    if (!reader.expect_map(at)) return;
    reader.each_entry(at, [&](std::string_view key, const Place& value) {
      const auto id = AccountId::parse(key);
      if (!id) {
        reader.fail_key(value, in_quotes(key) + " is not an account id", "1 to 20 digits, nothing else");
      }
      const auto [first, is_new] = account_origins_.emplace(key, reader.origin(value));
      if (!is_new && reader.is_elsewhere(first->second)) {
        reader.fail_key(value, "account " + in_quotes(key) + " is in the address book already",
                        "first on " + reader.name_of(first->second));
      }
      if (reader.kind(value) == YamlKind::scalar) {
        reader.fail(value, "expected a map, found a single value", "write {name: ...}");
        return;
      }
      Fields fields(reader, value, kAccountKeys);
      std::string name;
      const auto place = fields.require("name");
      if (place && reader.text(*place, {1, 200}, name) && id) config_.account_names.emplace(*id, name);
    });
  }

  ParsedFiles& files_;
  Config config_;
  Origins account_origins_;
  bool profiles_known_ = true;
};

ConfigResult parse(const std::vector<ConfigFile>& files, Watching watching) {
  ParsedFiles parsed(files);
  Config config = Loader(parsed).run(watching);
  std::vector<Diagnostic> problems = parsed.take_problems();
  if (!problems.empty()) return Err(std::move(problems));
  config.sha256 = hash_of(files);
  return config;
}

}  // namespace

ConfigResult parse_config(const std::vector<ConfigFile>& files, Watching watching) {
  try {
    return parse(files, watching);
  } catch (const std::exception& error) {  // out of memory, or a bug: a config is never half taken
    return Err(std::vector<Diagnostic>{
        {files.front().name, 0, 0, "", std::string("cannot be read: ") + error.what(), ""}});
  }
}

ConfigResult parse_config(std::string_view text, const std::string& file) {
  return parse_config({{file, std::string(text)}});
}

}  // namespace sharedrift
