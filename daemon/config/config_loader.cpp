#include "config/config_loader.hpp"

#include "config/config_keys.hpp"
#include "config/image_reader.hpp"
#include "config/profile_reader.hpp"
#include "config/yaml_reader.hpp"
#include "wire/digest.hpp"
#include "wire/encoding.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace sharedrift {

namespace {

/// Turns the tree of one file into a Config. Sections are read in the order in which they need each other;
/// the diagnostics are sorted afterwards.
class Loader {
 public:
  explicit Loader(YamlReader& reader) : reader_(reader) {}

  Config run() {
    const Place root = reader_.root();
    Fields fields(reader_, root, kRootKeys);
    read_profiles(fields);
    fields.with("poll", [this](const Place& at) { read_poll(at); });
    fields.with("accounts", [this](const Place& at) { read_accounts(at); });
    ImageContext context{config_, {}, true, profiles_known_};
    fields.with("groups", [&](const Place& at) { read_groups(reader_, at, context); });
    config_.inventory.interval = config_.poll.interval;
    fields.with("inventory", [this](const Place& at) { read_inventory(at); });
    read_watched(reader_, fields, context, config_);
    check_that_something_is_watched(fields);
    return std::move(config_);
  }

 private:
  void check_that_something_is_watched(Fields& fields) {
    const auto discover = fields.find("discover");
    if (discover && !config_.inventory.enabled) {
      reader_.fail_key(*discover, "needs the inventory, which is off",
                       "take `inventory: off` out of the file");
    }
    const auto images = discover ? fields.find("images") : fields.require("images");
    if ((discover && !reader_.is_empty_list(*discover)) || (images && !reader_.is_empty_list(*images)))
      return;
    if (!images && !discover) return;  // that was reported
    reader_.fail(images ? *images : *discover, "names no image",
                 "a monitor that watches nothing is never meant");
  }

  void read_inventory(const Place& at) {
    if (reader_.kind(at) == YamlKind::scalar) {
      config_.inventory.enabled = reader_.raw(at) != kInventoryOff;
      if (config_.inventory.enabled)
        reader_.fail(at, "expected a map or off, found " + in_quotes(reader_.raw(at)),
                     "it is on unless it is off");
      return;
    }
    const Fields fields(reader_, at, kInventoryKeys);
    fields.with("interval", [&](const Place& p) {
      reader_.duration(p, kShortestInterval, kLongestInterval, config_.inventory.interval);
    });
  }

  void read_profiles(const Fields& fields) {
    const auto profiles = fields.find("profiles");
    if (!profiles) {
      config_.profiles.emplace_back().name = "default";
      return;
    }
    profiles_known_ = reader_.expect_map(*profiles);
    reader_.each_entry(*profiles, [this](std::string_view name, const Place& at) {
      const auto same = [name](const ProfileConfig& p) { return p.name == name; };
      if (std::any_of(config_.profiles.begin(), config_.profiles.end(), same)) return;  // a duplicate key
      if (!is_config_name(name)) {
        reader_.fail_key(at, in_quotes(name) + " cannot be the name of a profile",
                         "1 to 64 letters, digits, dots, hyphens and underscores");
      }
      config_.profiles.push_back(read_profile(reader_, name, at));
    });
    if (profiles_known_ && config_.profiles.empty()) {
      reader_.fail(*profiles, "names no profile", "leave the key out for one profile with the defaults");
      profiles_known_ = false;
    }
    std::sort(config_.profiles.begin(), config_.profiles.end(),
              [](const ProfileConfig& a, const ProfileConfig& b) { return a.name < b.name; });
  }

  void read_poll(const Place& at) {
    PollConfig& poll = config_.poll;
    const Fields fields(reader_, at, kPollKeys);
    bool known = true;
    fields.with("interval", [&](const Place& p) {
      known = reader_.duration(p, kShortestInterval, kLongestInterval, poll.interval);
    });
    fields.with("stale_after", [&](const Place& p) {
      Millis stale_after{};
      if (!reader_.duration(p, kShortestInterval, kLongestStaleAfter, stale_after) || !known) return;
      if (stale_after >= poll.interval) {
        poll.stale_after = stale_after;
        return;  // one mistake is one message: otherwise no image is measured by it
      }
      reader_.fail(p, format_duration(stale_after) + " is shorter than poll.interval (" +
                          format_duration(poll.interval) +
                          "): every 0 would be withdrawn before the next poll");
    });
    fields.with("spread", [&](const Place& p) { reader_.choice(p, kSpreads, poll.spread); });
    fields.with("confirm_clears", [&](const Place& p) { reader_.integer(p, 1, 10, poll.confirm_clears); });
    fields.with("mass_change_percent",
                [&](const Place& p) { reader_.integer(p, 1, 100, poll.mass_change_percent); });
    fields.with("state_retention", [&](const Place& p) {
      reader_.duration(p, kShortestRetention, kLongestRetention, poll.state_retention);
    });
  }

  void read_accounts(const Place& at) {
    if (!reader_.expect_map(at)) return;
    reader_.each_entry(at, [this](std::string_view key, const Place& value) {
      const auto id = AccountId::parse(key);
      if (!id) {
        reader_.fail_key(value, in_quotes(key) + " is not an account id", "1 to 20 digits, nothing else");
      }
      if (reader_.kind(value) == YamlKind::scalar) {
        reader_.fail(value, "expected a map, found a single value", "write {name: ...}");
        return;
      }
      Fields fields(reader_, value, kAccountKeys);
      std::string name;
      const auto place = fields.require("name");
      if (place && reader_.text(*place, {1, 200}, name) && id) config_.account_names.emplace(*id, name);
    });
  }

  YamlReader& reader_;
  Config config_;
  bool profiles_known_ = true;
};

ConfigResult parse(std::string_view text, const std::string& file) {
  DiagnosticList problems(file);
  YamlTree tree;
  Config config;
  if (parse_yaml(text, tree, problems)) {
    YamlReader reader(tree, problems);
    if (tree.root() == kNoYamlNode || tree[tree.root()].kind == YamlKind::null) {
      problems.add(0, 0, "", "is empty", "the smallest useful file names one image");
    } else {
      config = Loader(reader).run();
    }
  }
  if (!problems.empty()) return Err(problems.take(text));
  config.sha256 = to_hex(sha256(text));
  return config;
}

}  // namespace

ConfigResult parse_config(std::string_view text, const std::string& file) {
  try {
    return parse(text, file);
  } catch (const std::exception& error) {  // out of memory, or a bug: a config is never half taken
    return Err(std::vector<Diagnostic>{{file, 0, 0, "", std::string("cannot be read: ") + error.what(), ""}});
  }
}

ConfigResult load_config(const std::string& file) {
  auto text = read_trusted_file(file);
  if (!text) return Err(std::vector<Diagnostic>{std::move(text).error()});
  return parse_config(*text, file);
}

}  // namespace sharedrift
