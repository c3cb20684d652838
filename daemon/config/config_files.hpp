#pragma once

#include "config/diagnostic.hpp"
#include "core/result.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// A file of a configuration, as it was read.
struct ConfigFile {
  std::string name;
  std::string text;
};

struct ConfigFiles {
  std::vector<ConfigFile> files;      ///< in the order in which they count; one at least
  std::vector<Diagnostic> untrusted;  ///< what others than root and this process's user can change: warnings
};

/// Reads the files of one configuration. A directory stands for the `*.yml` in it, in the order of their
/// names, without those that begin with a dot. Refused: what is missing, no regular file, over 32 MiB, and a
/// directory without such files; everything that is wrong at once.
Result<ConfigFiles, std::vector<Diagnostic>> read_config_files(const std::vector<std::string>& paths);

/// Where a value stands: the deepest of `keys`, from the root on, that one of the files has. Without words.
Diagnostic place_of(const std::vector<ConfigFile>& files, std::span<const std::string_view> keys);

/// Hex. Of one file: the SHA-256 of its bytes. Of several: of what `sha256sum FILE...` prints of them.
std::string hash_of(const std::vector<ConfigFile>& files);

/// Reads a regular file that a configuration names. The error is about it as a whole.
Result<std::string, Diagnostic> read_regular_file(const std::string& file);

/// Reads a file whose contents are trusted. A symbolic link is followed (Kubernetes mounts configs as such).
/// Refused if others than root and this process's user could change it, a link to it or a folder above. The
/// error is about the file as a whole.
Result<std::string, Diagnostic> read_trusted_file(const std::string& file);

}  // namespace sharedrift
