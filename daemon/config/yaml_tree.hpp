#pragma once

#include "config/diagnostic.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

enum class YamlKind : std::uint8_t {
  null,
  scalar,
  sequence,
  map,
  refused,  ///< was reported already: whoever walks the tree passes it in silence
};

// Enough for 50,000 images with long lists.
inline constexpr std::size_t kMaxYamlBytes = 32U << 20U;
inline constexpr std::size_t kMaxYamlNodes = 4'000'000;

using YamlIndex = std::uint32_t;
inline constexpr YamlIndex kNoYamlNode = std::numeric_limits<YamlIndex>::max();

/// A node of a YamlTree. The children of a map are key, value, key, value ...
struct YamlNode {
  YamlKind kind = YamlKind::null;
  bool plain = false;        ///< a scalar without quotes
  std::uint32_t line = 0;    ///< from 1
  std::uint32_t column = 0;  ///< from 1, in bytes
  std::uint32_t text_begin = 0;
  std::uint32_t text_size = 0;
  YamlIndex first_child = kNoYamlNode;
  YamlIndex next = kNoYamlNode;  ///< the next child of the same parent
};

/// One YAML document as a flat tree of positions and raw scalars: no types are guessed, nothing is converted
/// and nothing is shared, so that what the file says is what is read.
class YamlTree {
 public:
  [[nodiscard]] YamlIndex root() const { return nodes_.empty() ? kNoYamlNode : 0; }
  [[nodiscard]] const YamlNode& operator[](YamlIndex index) const { return nodes_[index]; }
  /// The scalar's text, unquoted and unescaped. Valid until the tree changes.
  [[nodiscard]] std::string_view text(YamlIndex index) const {
    return std::string_view(text_).substr(nodes_[index].text_begin, nodes_[index].text_size);
  }

 private:
  friend class YamlTreeBuilder;
  std::vector<YamlNode> nodes_;
  std::string text_;
};

/// Reads one document. What YAML allows and a config should not hold is reported and refused: duplicate keys,
/// anchors, aliases, merge keys, explicit tags, keys that are not text, further documents, control characters
/// and characters that turn the reading direction, invalid UTF-8, and what is too deep or too much. Returns
/// false if there is no whole tree to walk; true with problems reported is possible. Throws nothing.
bool parse_yaml(std::string_view text, YamlTree& tree, DiagnosticList& problems,
                std::size_t max_nodes = kMaxYamlNodes);
/// The same of the beginning, to the end of the map that the root has as `last`; all of it where there is
/// none.
bool parse_yaml_to(std::string_view last, std::string_view text, YamlTree& tree, DiagnosticList& problems);

/// One step of a path, as `.key` or `[3]` is appended to what is there.
void append_path_key(std::string& path, std::string_view key);
void append_path_index(std::string& path, std::size_t index);

}  // namespace sharedrift
