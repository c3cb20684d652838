#pragma once

#include "config/yaml_tree.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// A place in the tree and the way that leads to it. `parent` outlives it: places live on the walker's stack.
struct Place {
  YamlIndex node = kNoYamlNode;
  YamlIndex key = kNoYamlNode;  ///< of a value in a map; where an empty value is reported
  std::size_t index = 0;        ///< of an item in a list
  const Place* parent = nullptr;
};

/// A line of one of the files of a configuration.
struct Origin {
  std::string_view file;  ///< lives as long as its reader
  int line = 0;
};

template <class T>
struct Choice {
  std::string_view name;
  T value;
};

struct TextRule {
  std::size_t min_bytes = 0;
  std::size_t max_bytes = 200;
};

/// The nearest of `known` that `word` may have been meant for; empty: none is near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);
/// The hint `did you mean "x"?`, or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known);

/// Turns nodes into values and says what is wrong with those that cannot be. A reader that returns a
/// bool tells whether it set `out`, others leave it as it was; what failed was reported. Not thread-safe.
class YamlReader {
 public:
  YamlReader(const YamlTree& tree, DiagnosticList& problems) : tree_(tree), problems_(problems) {}

  [[nodiscard]] Place root() const { return {tree_.root()}; }
  [[nodiscard]] YamlKind kind(const Place& at) const { return tree_[at.node].kind; }
  /// The raw text of a scalar.
  [[nodiscard]] std::string_view raw(const Place& at) const { return tree_.text(at.node); }
  /// Whether a scalar stands without quotes.
  [[nodiscard]] bool is_plain(const Place& at) const { return tree_[at.node].plain; }
  [[nodiscard]] std::string path(const Place& at) const;
  /// The line of the key, or of the value where there is none.
  [[nodiscard]] int line(const Place& at) const;
  [[nodiscard]] Origin origin(const Place& at) const { return {problems_.file(), line(at)}; }
  /// Whether it stands in another file. What stands twice in one was reported by the tree.
  [[nodiscard]] bool is_elsewhere(const Origin& origin) const { return origin.file != problems_.file(); }
  /// As this file's messages call it: `line 3`, or `line 3 of base.yml`.
  [[nodiscard]] std::string name_of(const Origin& origin) const;

  void fail(const Place& at, std::string message, std::string hint = {});
  /// The same, at the key and not at the value.
  void fail_key(const Place& at, std::string message, std::string hint = {});
  /// What is legal, but hardly meant.
  void warn(const Place& at, std::string message, std::string hint = {});
  void warn_key(const Place& at, std::string message, std::string hint = {});

  bool expect_map(const Place& at);
  /// Reports what is no list. It holds no item, so nobody need look.
  void expect_list(const Place& at);
  /// Whether it is a list that holds nothing.
  [[nodiscard]] bool is_empty_list(const Place& at) const {
    return kind(at) == YamlKind::sequence && tree_[at.node].first_child == kNoYamlNode;
  }
  /// `wanted` for the message: "text", "a duration" ...
  bool expect_scalar(const Place& at, std::string_view wanted);

  /// One line of text that can be shown as it is.
  bool text(const Place& at, TextRule rule, std::string& out);
  /// An absolute path.
  void file_path(const Place& at, std::string& out);
  /// `true` or `false`, without quotes.
  void boolean(const Place& at, bool& out);
  void integer(const Place& at, int min, int max, int& out);
  void number(const Place& at, double max, double& out);
  bool duration(const Place& at, Millis min, Millis max, Millis& out);
  std::optional<AccountId> account(const Place& at);

  template <class T, std::size_t N>
  bool choice(const Place& at, const std::array<Choice<T>, N>& choices, T& out) {
    if (!expect_scalar(at, "a word")) return false;
    std::vector<std::string_view> names;
    for (const Choice<T>& c : choices) {
      if (c.name == raw(at)) {
        out = c.value;
        return true;
      }
      names.push_back(c.name);
    }
    fail_choice(at, names);
    return false;
  }

  /// Calls `visit(Place)` for each item of a list; a reported list has none.
  template <class F>
  void each_item(const Place& list, F visit) const {
    if (kind(list) != YamlKind::sequence) return;
    std::size_t index = 0;
    for (YamlIndex node = tree_[list.node].first_child; node != kNoYamlNode; node = tree_[node].next) {
      visit(Place{node, kNoYamlNode, index++, &list});
    }
  }
  /// Calls `visit(key, Place)` for each entry of a map, without those whose key was refused or stood before.
  template <class F>
  void each_entry(const Place& map, F visit) const {
    if (kind(map) != YamlKind::map) return;
    for (YamlIndex key = tree_[map.node].first_child; key != kNoYamlNode;) {
      const YamlIndex value = tree_[key].next;
      if (tree_[key].kind == YamlKind::scalar) visit(tree_.text(key), Place{value, key, 0, &map});
      key = tree_[value].next;
    }
  }

 private:
  void fail_choice(const Place& at, const std::vector<std::string_view>& names);
  Diagnostic& add(YamlIndex node, const Place& at, std::string message, std::string hint);

  const YamlTree& tree_;
  DiagnosticList& problems_;
};

/// A key that people will try and that has no place in a map; the words that say why, and what to do.
struct RefusedKey {
  std::string_view key;
  std::string_view message;
  std::string_view hint;
};

/// The entries of a map that has a fixed set of keys. Anything else in it is reported.
class Fields {
 public:
  Fields(YamlReader& reader, const Place& map, std::span<const std::string_view> known,
         std::span<const RefusedKey> refused = {});

  /// The value of a key, if it is there.
  [[nodiscard]] std::optional<Place> find(std::string_view key) const;
  /// Reports a missing key where the map begins. Nothing, too, when the map is none (that was reported).
  std::optional<Place> require(std::string_view key);
  /// Calls `read(Place)` if the key is there.
  template <class F>
  void with(std::string_view key, F read) const {
    if (const auto at = find(key)) read(*at);
  }

 private:
  void report_unknown(std::string_view key, const Place& at);

  YamlReader& reader_;
  Place map_;
  std::span<const std::string_view> known_;
  std::span<const RefusedKey> refused_;
  bool is_map_;
  static constexpr std::size_t kMostKeys = 20;
  std::array<Place, kMostKeys> values_{};
};

}  // namespace sharedrift
