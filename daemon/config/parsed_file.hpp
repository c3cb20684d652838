#pragma once

#include "config/config_files.hpp"
#include "config/config_keys.hpp"
#include "config/yaml_reader.hpp"
#include "core/non_copyable.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

namespace sharedrift {

/// A file of a configuration while it is read: its tree, and what is wrong with it. `file` outlives it. Stays
/// where it was made.
class ParsedFile : NonCopyable {
 public:
  explicit ParsedFile(const ConfigFile& file) : text_(file.text), problems_(file.name) {
    if (!parse_yaml(text_, tree_, problems_)) return;
    if (tree_.root() == kNoYamlNode || tree_[tree_.root()].kind == YamlKind::null) {
      problems_.add(0, 0, "", "is empty", "the smallest useful file names one image");
      return;
    }
    root_.emplace(reader_, reader_.root(), kRootKeys);
  }

  [[nodiscard]] const std::string& name() const { return problems_.file(); }
  [[nodiscard]] YamlReader& reader() { return reader_; }
  /// Null: there is nothing to read; why was reported.
  [[nodiscard]] Fields* root() { return root_ ? &*root_ : nullptr; }
  /// Calls `read(YamlReader&, Place)` if the key is there.
  template <class F>
  void with(std::string_view key, F read) {
    if (root_) root_->with(key, [&](const Place& at) { read(reader_, at); });
  }
  /// Hands over what was reported, in the order of the file.
  std::vector<Diagnostic> take_problems() { return problems_.take(text_); }

 private:
  std::string_view text_;
  DiagnosticList problems_;
  YamlTree tree_;
  YamlReader reader_{tree_, problems_};
  std::optional<Fields> root_;
};

/// The files of a configuration in their order.
class ParsedFiles {
 public:
  explicit ParsedFiles(const std::vector<ConfigFile>& files) {
    for (const ConfigFile& file : files)
      files_.emplace_back(file);
  }
  auto begin() { return files_.begin(); }
  auto end() { return files_.end(); }
  /// Calls `read(YamlReader&, Place)` for each file that has the key.
  template <class F>
  void with(std::string_view key, F read) {
    for (ParsedFile& file : files_)
      file.with(key, read);
  }
  /// Whether each of them can be read, so that what is not there is nowhere.
  [[nodiscard]] bool all_whole() {
    return std::all_of(begin(), end(), [](ParsedFile& file) { return file.root() != nullptr; });
  }
  std::vector<Diagnostic> take_problems() {
    std::vector<Diagnostic> all;
    for (ParsedFile& file : files_) {
      auto found = file.take_problems();
      all.insert(all.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    }
    return all;
  }

 private:
  std::deque<ParsedFile> files_;
};

}  // namespace sharedrift
