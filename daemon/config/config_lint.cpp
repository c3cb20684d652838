#include "config/config_lint.hpp"

#include "config/config_keys.hpp"
#include "config/config_loader.hpp"
#include "config/parsed_file.hpp"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

namespace sharedrift {

namespace {

constexpr Millis kSoon = 14 * kDay;

/// Walks files that the loader has accepted: every kind and type is known to be right.
class Linter {
 public:
  Linter(ParsedFiles& files, WallTime now) : files_(files), now_(now) {}

  void run() {
    each("groups", [this](const Place& groups) {
      reader_->each_entry(groups,
                          [this](std::string_view name, const Place& list) { read_group(name, list); });
    });
    each("images", [this](const Place& images) {
      reader_->each_item(images, [this](const Place& image) { read_image(image); });
    });
    each("discover", [this](const Place& rules) {
      reader_->each_item(rules, [this](const Place& rule) { read_rule(rule); });
    });
    bool off = false;
    each("inventory", [&](const Place& at) { off = reader_->kind(at) == YamlKind::scalar; });
    each("ignore", [&](const Place& at) {
      if (off) reader_->warn_key(at, "changes nothing while the inventory is off");
    });
    report_unused("groups", used_groups_, "no image and no rule uses this group");
    if (!every_profile_is_used_)
      report_unused("profiles", used_profiles_, "no image and no rule uses this profile");
    report_unused("accounts", used_accounts_, "no list and no exception names this account");
  }

 private:
  using Names = std::set<std::string, std::less<>>;
  /// An account of a list, and where it was allowed first.
  using Granted = std::map<std::string, Origin, std::less<>>;
  struct Rule {
    std::string_view name;  ///< empty: every name
    std::string_view profile;
    Origin origin;
  };

  /// Calls `read(Place)` for each file that has the key; reader_ is the file's meanwhile.
  template <class F>
  void each(std::string_view key, F read) {
    files_.with(key, [&](YamlReader& reader, const Place& at) {
      reader_ = &reader;
      read(at);
    });
  }

  void read_group(std::string_view name, const Place& list) {
    Granted& members = groups_[std::string(name)];
    reader_->each_item(list, [&](const Place& at) {
      used_accounts_.emplace(reader_->raw(at));
      const auto [first, is_new] = members.emplace(reader_->raw(at), reader_->origin(at));
      if (!is_new) warn_twice(at, "in this group", first->second);
    });
  }

  void read_image(const Place& image) {
    const Fields fields(*reader_, image, kImageKeys);
    const auto profile = fields.find("profile");
    used_profiles_.emplace(profile ? reader_->raw(*profile) : "default");
    read_lists(fields);
  }

  void read_rule(const Place& at) {
    const Fields fields(*reader_, at, kRuleKeys);
    const auto word = [&](std::string_view key) {
      const auto place = fields.find(key);
      return place ? reader_->raw(*place) : std::string_view{};
    };
    Rule rule{word("name"), word("profile"), reader_->origin(at)};
    if (rule.name.find_first_not_of('*') == std::string_view::npos) rule.name = {};
    if (rule.profile.empty()) {
      every_profile_is_used_ = true;
    } else {
      used_profiles_.emplace(rule.profile);
    }
    const auto first = std::find_if(rules_.begin(), rules_.end(), [&rule](const Rule& earlier) {
      return (earlier.name.empty() || earlier.name == rule.name) &&
             (earlier.profile.empty() || earlier.profile == rule.profile);
    });
    if (first != rules_.end()) {
      reader_->warn(at, "no image reaches this rule: an earlier one takes them all",
                    "see " + reader_->name_of(first->origin));
    }
    rules_.push_back(rule);
    read_lists(fields);
  }

  void read_lists(const Fields& fields) {
    Granted required;
    Granted allowed;
    fields.with("required", [&](const Place& list) { read_grants(list, required, nullptr); });
    fields.with("allowed", [&](const Place& list) { read_grants(list, allowed, &required); });
    allowed.merge(required);
    fields.with("exceptions", [&](const Place& list) {
      reader_->each_item(list, [&](const Place& at) { read_exception(at, allowed); });
    });
  }

  /// Collects what a list allows. An account written out beside a group that holds it is told as well: to
  /// strike it from the group would change nothing.
  void read_grants(const Place& list, Granted& granted, const Granted* required) {
    Names groups_seen;
    reader_->each_item(list, [&](const Place& at) {
      const std::string_view entry = reader_->raw(at);
      if (!entry.starts_with(kGroupPrefix)) return;
      const std::string_view name = entry.substr(kGroupPrefix.size());
      used_groups_.emplace(name);
      if (!groups_seen.emplace(name).second) {
        reader_->warn(at, in_quotes(entry) + " is in this list already");
        return;
      }
      for (const auto& [account, origin] : groups_.find(name)->second)
        granted.emplace(account, reader_->origin(at));
    });
    reader_->each_item(list, [&](const Place& at) {
      const std::string_view entry = reader_->raw(at);
      if (entry.starts_with(kGroupPrefix)) return;
      used_accounts_.emplace(entry);
      const auto [first, is_new] = granted.emplace(entry, reader_->origin(at));
      if (!is_new) {
        warn_twice(at, "by this list", first->second);
      } else if (required != nullptr && required->contains(entry)) {
        reader_->warn(at, "account " + in_quotes(entry) + " is required, and so allowed already",
                      "see " + reader_->name_of(required->find(entry)->second));
      }
    });
  }

  void warn_twice(const Place& at, std::string_view where, const Origin& first) {
    reader_->warn(at, "account " + in_quotes(reader_->raw(at)) + " is allowed twice " + std::string(where),
                  "see " + reader_->name_of(first));
  }

  void read_exception(const Place& at, const Granted& granted) {
    const Fields fields(*reader_, at, kExceptionKeys);
    const auto account = fields.find("account");
    const std::string_view id = reader_->raw(*account);
    used_accounts_.emplace(id);
    if (const auto found = granted.find(id); found != granted.end()) {
      reader_->warn(
          *account,
          "account " + in_quotes(id) + " is allowed anyway: this exception changes nothing, nor will its end",
          "see " + reader_->name_of(found->second));
    }
    warn_of_end(*fields.find("expires"));
  }

  void warn_of_end(const Place& at) {
    auto end = parse_end_of_day(reader_->raw(at));
    if (!end) end = parse_rfc3339(reader_->raw(at));
    if (!end || *end > now_ + kSoon) return;
    const std::string when = in_quotes(reader_->raw(at));
    if (*end <= now_) {
      reader_->warn(at, "this exception has ended: " + when, "take it out, or renew it");
      return;
    }
    const auto days = std::chrono::duration_cast<std::chrono::days>(*end - now_).count();
    reader_->warn(
        at, "this exception ends soon: " + when,
        days == 0 ? "in less than a day" : "in " + std::to_string(days) + (days == 1 ? " day" : " days"));
  }

  void report_unused(std::string_view section, const Names& used, const std::string& message) {
    each(section, [&](const Place& map) {
      reader_->each_entry(map, [&](std::string_view key, const Place& at) {
        if (!used.contains(key)) reader_->warn_key(at, message);
      });
    });
  }

  ParsedFiles& files_;
  YamlReader* reader_ = nullptr;  ///< of the file that is being looked at
  WallTime now_;
  std::map<std::string, Granted, std::less<>> groups_;
  Names used_accounts_;
  Names used_groups_;
  Names used_profiles_;
  bool every_profile_is_used_ = false;  ///< by a rule for all of them
  std::vector<Rule> rules_;
};

}  // namespace

LintReport lint_config(const std::vector<ConfigFile>& files, WallTime now) {
  ConfigResult config = parse_config(files);
  if (!config) return {std::move(config).error(), {}};
  try {
    ParsedFiles parsed(files);
    Linter(parsed, now).run();
    return {{}, parsed.take_problems()};
  } catch (const std::exception& error) {  // out of memory
    return {{{files.front().name, 0, 0, "", std::string("cannot be read: ") + error.what(), ""}}, {}};
  }
}

std::vector<Diagnostic> lint_images(const std::vector<ConfigFile>& files,
                                    std::multimap<std::string, ImageRemark> remarks) {
  ParsedFiles parsed(files);
  parsed.with("images", [&remarks](YamlReader& reader, const Place& images) {
    reader.each_item(images, [&](const Place& image) {
      Fields(reader, image, kImageKeys).with("id", [&](const Place& at) {
        const auto [first, last] = remarks.equal_range(std::string{reader.raw(at)});
        for (auto remark = first; remark != last; ++remark)
          reader.warn(at, std::move(remark->second.message), std::move(remark->second.hint));
        remarks.erase(first, last);
      });
    });
  });
  std::vector<Diagnostic> found = parsed.take_problems();
  for (auto& [id, remark] : remarks)
    found.push_back({files.front().name, 0, 0, "", std::move(remark.message), std::move(remark.hint), true});
  return found;
}

LintReport lint_config_files(const std::vector<std::string>& paths, WallTime now) {
  auto files = read_config_files(paths);
  if (!files) return {std::move(files).error(), {}};
  LintReport report = lint_config(files->files, now);
  report.warnings.insert(report.warnings.begin(), files->untrusted.begin(), files->untrusted.end());
  return report;
}

}  // namespace sharedrift
