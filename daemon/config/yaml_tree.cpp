#include "config/yaml_tree.hpp"

#include "config/yaml_text_check.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <exception>
#include <istream>
#include <streambuf>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace sharedrift {

namespace {

constexpr std::size_t kMaxDepth = 24;
/// Fewer than any file has that was written for people.
constexpr std::size_t kBytesPerNode = 8;

/// A text that outlives it, with an end of document: yaml-cpp 0.7.0 takes a quoted scalar that the end of the
/// file cuts off as if it were whole, but not one that holds `...`.
class ClosedText final : public std::streambuf {
 public:
  explicit ClosedText(std::string_view text) : end_(text.ends_with('\n') ? "...\n" : "\n...\n") {
    read(text);
  }

 private:
  int_type underflow() override {
    if (gptr() == egptr()) read(std::exchange(end_, {}));
    return gptr() == egptr() ? traits_type::eof() : traits_type::to_int_type(*gptr());
  }
  void read(std::string_view part) {
    char* begin = const_cast<char*>(part.data());  // to be read: nothing here writes
    setg(begin, begin, begin + part.size());
  }

  std::string_view end_;
};

/// Thrown by the builder through yaml-cpp when to go on makes no sense; caught in parse().
struct Stop {};
/// Thrown likewise when all that was asked for is there.
struct Done {};

int as_int(std::uint32_t value) {
  return static_cast<int>(value);
}

/// What to look at, for the messages of yaml-cpp that only its authors understand.
std::string_view advice(std::string_view message) {
  using namespace YAML::ErrorMsg;  // nothing but constants
  if (message == END_OF_SEQ || message == END_OF_MAP) return "look at the indentation of this line";
  if (message == END_OF_SEQ_FLOW || message == END_OF_MAP_FLOW) {
    return "a bracket is not closed, or a comma is missing";
  }
  if (message == MAP_VALUE)
    return "a value that holds a colon and a blank needs quotes; or look at the indentation";
  if (message == BLOCK_ENTRY)
    return "a list item cannot stand here; look at the indentation, tabs do not count";
  if (message == UNKNOWN_TOKEN) return "a value that begins with @, % or ` needs quotes";
  return {};
}

}  // namespace

void append_path_key(std::string& path, std::string_view key) {
  if (!path.empty()) path += '.';
  path += !key.empty() && all_alnum_or(key, "_-") ? clean(without_secrets(key), 60) : in_quotes(key);
}

void append_path_index(std::string& path, std::size_t index) {
  path += '[';
  path += std::to_string(index);
  path += ']';
}

/// Builds the tree from yaml-cpp's events. Its Node API hides duplicate keys, guesses types and searches maps
/// in linear time (0.7.0), so it is not used at all.
class YamlTreeBuilder final : public YAML::EventHandler {
 public:
  /// The room for a text of that size is taken at once: what is not needed of it is never touched, and
  /// growing would touch it all twice.
  YamlTreeBuilder(std::size_t text_size, YamlTree& tree, DiagnosticList& problems, std::size_t max_nodes,
                  std::string_view last)
      : tree_(tree), problems_(problems), max_nodes_(max_nodes), last_(last) {
    tree_.nodes_.reserve(std::min(text_size / kBytesPerNode, max_nodes));
    tree_.text_.reserve(text_size);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    problems_.add(mark.line + 1, mark.column + 1, "", "a second document begins here",
                  "one file is one document; a list and a map side by side look like two as well");
    throw Stop{};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, YamlKind::null, anchor, {}, {});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    add(mark, YamlKind::refused, 0, {}, {});
    report("aliases (*name) are not allowed", "write the value out, or use groups");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    add(mark, YamlKind::scalar, anchor, tag, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    add(mark, YamlKind::sequence, anchor, tag, {});
    open();
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    add(mark, YamlKind::map, anchor, tag, {});
    open();
  }
  void OnMapEnd() override {
    report_duplicates();
    open_.pop_back();
    const bool below_root = open_.size() == 1 && open_.back().key != kNoYamlNode;
    if (below_root && tree_.text(open_.back().key) == last_) throw Done{};
  }

  void report_open_quote() {
    const YamlNode node = tree_.nodes_.empty() ? YamlNode{} : tree_.nodes_.back();
    problems_.add(as_int(node.line), as_int(node.column), "", "not YAML: a quote is not closed",
                  "it opens here or in what follows");
  }

 private:
  struct Frame {
    YamlIndex node;
    YamlIndex last_child = kNoYamlNode;
    YamlIndex key = kNoYamlNode;  ///< of the value that is being read; maps only
    std::size_t children = 0;
  };

  [[nodiscard]] bool in_map() const {
    return !open_.empty() && tree_[open_.back().node].kind == YamlKind::map;
  }

  void add(const YAML::Mark& mark, YamlKind kind, YAML::anchor_t anchor, std::string_view tag,
           std::string_view value) {
    const auto index = static_cast<YamlIndex>(tree_.nodes_.size());
    YamlNode node;
    node.kind = kind;
    node.plain = kind == YamlKind::scalar && tag == "?";
    node.line = static_cast<std::uint32_t>(mark.line + 1);
    node.column = static_cast<std::uint32_t>(mark.column + 1);
    node.text_begin = static_cast<std::uint32_t>(tree_.text_.size());
    node.text_size = static_cast<std::uint32_t>(value.size());
    tree_.text_ += value;
    tree_.nodes_.push_back(node);
    link(index);
    if (tree_.nodes_.size() > max_nodes_) stop("the file holds too many values");
    if (open_.size() > kMaxDepth) stop("nested too deep");
    if (anchor != 0) report("anchors (&name) are not allowed", "write the value out, or use groups");
    if (kind == YamlKind::scalar) check_characters(value);
    if (!tag.empty() && tag != "?" && tag != "!") report("tags (!name) are not allowed", "leave the tag out");
  }

  /// Of the node added last. Its column is exact in a value of one line without escapes.
  void check_characters(std::string_view value) {
    const auto unseen = find_unseen(value);
    if (!unseen) return;
    YamlNode& node = tree_.nodes_.back();
    problems_.add(as_int(node.line),
                  as_int(node.column) + (node.plain ? 0 : 1) + static_cast<int>(unseen->at), path(),
                  "holds " + unseen->name + ", which cannot be seen", "type the value anew");
    node.kind = YamlKind::refused;
  }

  void link(YamlIndex index) {
    if (open_.empty()) return;
    Frame& frame = open_.back();
    if (frame.last_child == kNoYamlNode) {
      tree_.nodes_[frame.node].first_child = index;
    } else {
      tree_.nodes_[frame.last_child].next = index;
    }
    frame.last_child = index;
    const bool is_key = in_map() && frame.children % 2 == 0;
    ++frame.children;
    if (is_key) check_key(index);
  }

  void check_key(YamlIndex index) {
    YamlNode& key = tree_.nodes_[index];
    open_.back().key = kNoYamlNode;
    if (key.kind == YamlKind::refused) return;  // an alias: reported as such
    if (key.kind != YamlKind::scalar) {
      report("a key must be text");
    } else if (key.plain && tree_.text(index) == "<<") {
      key.kind = YamlKind::refused;
      report("merge keys (<<) are not allowed", "write the keys out");
    } else {
      open_.back().key = index;
    }
  }

  void open() { open_.push_back({static_cast<YamlIndex>(tree_.nodes_.size() - 1)}); }

  /// The path to what the innermost open collection is reading now.
  [[nodiscard]] std::string path() const {
    std::string out;
    for (const Frame& frame : open_) {
      if (tree_[frame.node].kind == YamlKind::sequence) {
        append_path_index(out, frame.children - 1);  // who asks has added one
      } else if (frame.key != kNoYamlNode) {
        append_path_key(out, tree_.text(frame.key));
      }
    }
    return out;
  }

  /// About the node added last.
  void report(std::string message, std::string hint = {}) {
    const YamlNode& node = tree_.nodes_.back();
    problems_.add(as_int(node.line), as_int(node.column), path(), std::move(message), std::move(hint));
  }
  [[noreturn]] void stop(std::string message) {
    report(std::move(message));
    throw Stop{};
  }

  void report_duplicates() {
    keys_.clear();
    const YamlIndex map = open_.back().node;
    for (YamlIndex key = tree_[map].first_child; key != kNoYamlNode; key = tree_[tree_[key].next].next) {
      if (tree_[key].kind == YamlKind::scalar) keys_.push_back(key);
    }
    std::stable_sort(keys_.begin(), keys_.end(),
                     [this](YamlIndex a, YamlIndex b) { return tree_.text(a) < tree_.text(b); });
    for (std::size_t i = 1, first = 0; i < keys_.size(); ++i) {
      if (tree_.text(keys_[i]) != tree_.text(keys_[first])) {
        first = i;
        continue;
      }
      open_.back().key = keys_[i];
      const YamlNode& node = tree_[keys_[i]];
      problems_.add(as_int(node.line), as_int(node.column), path(), "duplicate key",
                    "first on line " + std::to_string(tree_[keys_[first]].line));
    }
  }

  YamlTree& tree_;
  DiagnosticList& problems_;
  std::size_t max_nodes_;
  std::string_view last_;  ///< the key to stop after; empty: none
  std::vector<Frame> open_;
  std::vector<YamlIndex> keys_;
  int documents_ = 0;
};

namespace {

bool parse(std::string_view text, YamlTree& tree, DiagnosticList& problems, std::size_t max_nodes,
           std::string_view last) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!is_fit_for_yaml(text, problems)) return false;
  ClosedText document(text);
  std::istream stream(&document);
  YamlTreeBuilder builder(text.size(), tree, problems, max_nodes, last);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return true;
  } catch (const Done&) {
    return true;
  } catch (const Stop&) {
    return false;  // reported where it was thrown
  } catch (const YAML::Exception& error) {
    if (error.msg == YAML::ErrorMsg::DOC_IN_SCALAR) {
      builder.report_open_quote();
      return false;
    }
    const auto lines =
        static_cast<int>(std::count(text.begin(), text.end(), '\n')) + (text.ends_with('\n') ? 0 : 1);
    const bool inside = error.mark.line < lines;  // or in our own end of document; a null mark is -1
    problems.add(inside ? error.mark.line + 1 : lines, inside ? error.mark.column + 1 : 1, "",
                 "not YAML: " + clean(error.msg), std::string(advice(error.msg)));
  } catch (const std::exception& error) {
    problems.add(0, 0, "", "cannot be read as YAML: " + clean(error.what()));
  }
  return false;
}

}  // namespace

bool parse_yaml(std::string_view text, YamlTree& tree, DiagnosticList& problems, std::size_t max_nodes) {
  return parse(text, tree, problems, max_nodes, {});
}

bool parse_yaml_to(std::string_view last, std::string_view text, YamlTree& tree, DiagnosticList& problems) {
  return parse(text, tree, problems, kMaxYamlNodes, last);
}

}  // namespace sharedrift
