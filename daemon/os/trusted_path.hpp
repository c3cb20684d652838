#pragma once

#include <optional>
#include <string>

namespace sharedrift {

/// How somebody else than root and the user of this process could change what stands at `path`, in words;
/// none: he cannot, or nothing is there. Looked at are the file, every folder above it, and each symbolic
/// link on the way. In a folder with the sticky bit, others can change only what is theirs; on a read-only
/// mount, nothing. Of several weaknesses the last on the way is told.
std::optional<std::string> weakness_of_path(const std::string& path);

}  // namespace sharedrift
