#pragma once

#include <optional>
#include <string>

namespace sharedrift {

/// How somebody else than root and the user of this process could change what stands at a path.
struct PathWeakness {
  std::string where;          ///< the file, a folder above it, or a link on the way
  std::string what;           ///< is wrong with that
  bool has_own_mode = false;  ///< it is the file's own mode, and `chmod go-w` mends it
  [[nodiscard]] std::string text() const { return where + " " + what; }
};

/// None: nobody can, or nothing is there. Looked at are the file, every folder above it, and each symbolic
/// link on the way. In a folder with the sticky bit, others can change only what is theirs; on a read-only
/// mount, nothing. Of several weaknesses the last on the way is told.
std::optional<PathWeakness> weakness_of_path(const std::string& path);

}  // namespace sharedrift
