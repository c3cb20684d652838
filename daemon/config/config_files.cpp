#include "config/config_files.hpp"

#include "config/yaml_reader.hpp"
#include "config/yaml_tree.hpp"
#include "os/descriptor.hpp"
#include "os/file.hpp"
#include "os/trusted_path.hpp"
#include "wire/digest.hpp"
#include "wire/encoding.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include <sys/stat.h>

namespace sharedrift {

namespace {

Diagnostic file_fault(const std::string& file, std::string message, std::string hint = {}) {
  return {file, 0, 0, "", std::move(message), std::move(hint)};
}

/// A file or a directory. Without a fault it is open.
struct OpenFile {
  explicit OpenFile(const std::string& path) : fd(open_to_read(path)) {
    if (fd.get() < 0) {
      fault = file_fault(path, "cannot be opened: " + system_message(errno));
    } else if (::fstat(fd.get(), &info) != 0) {
      fault = file_fault(path, "cannot be looked at: " + system_message(errno));
    }
  }
  Descriptor fd;
  struct stat info {};
  std::optional<Diagnostic> fault;
};

/// `weakness`: how others can change `file`, or put another one in its place.
Diagnostic untrusted(const std::string& file, const PathWeakness& weakness) {
  if (weakness.has_own_mode) return file_fault(file, weakness.what, "chmod go-w " + file);
  return file_fault(file, weakness.text(),
                    "only root and the daemon's user may own what leads to it, and write there");
}

Result<std::string, Diagnostic> text_of(const std::string& file, const OpenFile& opened) {
  if (opened.fault) return Err(*opened.fault);
  if (!S_ISREG(opened.info.st_mode)) return Err(file_fault(file, "is not a regular file"));
  auto text = read_to_end(opened.fd.get(), kMaxYamlBytes);
  if (text) return std::move(*text);
  return Err(file_fault(file, text.error() == EFBIG ? "is larger than 32 MiB"
                                                    : "cannot be read: " + system_message(text.error())));
}

Result<std::vector<std::string>, Diagnostic> files_in(const std::string& directory) {
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.ends_with(".yml") && !name.starts_with('.')) found.push_back(entry->path());
  }
  if (error) return Err(file_fault(directory, "cannot be listed: " + error.message()));
  if (found.empty()) return Err(file_fault(directory, "holds no file whose name ends in .yml"));
  std::sort(found.begin(), found.end());
  return found;
}

/// How many of `keys` are there, below `at`. The last of them is marked.
std::size_t mark(YamlReader& reader, const Place& at, std::span<const std::string_view> keys) {
  std::size_t found = 0;
  reader.each_entry(at, [&](std::string_view key, const Place& value) {
    if (!keys.empty() && key == keys.front()) found = 1 + mark(reader, value, keys.subspan(1));
  });
  if (found == 0 && at.parent != nullptr) reader.fail(at, "");
  return found;
}

}  // namespace

Result<ConfigFiles, std::vector<Diagnostic>> read_config_files(const std::vector<std::string>& paths) {
  ConfigFiles out;
  std::vector<Diagnostic> faults;
  std::set<std::string> told;  // a folder is above many files
  const auto look_at = [&](const std::string& path) {
    const auto weakness = weakness_of_path(path);
    if (!weakness || !told.insert(weakness->where).second) return;
    out.untrusted.push_back(untrusted(path, *weakness));
    out.untrusted.back().warning = true;
  };
  const auto take = [&](const std::string& file, const OpenFile& opened) {
    auto text = text_of(file, opened);
    if (!text) return faults.push_back(std::move(text).error());
    look_at(file);
    out.files.push_back({file, std::move(*text)});
  };
  for (const std::string& path : paths) {
    const OpenFile opened(path);
    if (opened.fault || !S_ISDIR(opened.info.st_mode)) {
      take(path, opened);
      continue;
    }
    look_at(path);
    const auto files = files_in(path);
    if (!files) {
      faults.push_back(files.error());
      continue;
    }
    for (const std::string& file : *files)
      take(file, OpenFile(file));
  }
  if (!faults.empty()) return Err(std::move(faults));
  return out;
}

Diagnostic place_of(const std::vector<ConfigFile>& files, std::span<const std::string_view> keys) {
  Diagnostic place = file_fault(files.front().name, "");
  std::size_t most = 0;
  for (const ConfigFile& file : files) {
    DiagnosticList marks(file.name);
    YamlTree tree;
    if (!parse_yaml_to(keys.front(), file.text, tree, marks) || tree.root() == kNoYamlNode) continue;
    YamlReader reader(tree, marks);
    const std::size_t found = mark(reader, reader.root(), keys);
    if (found <= most) continue;
    most = found;
    place = marks.take(file.text).front();
  }
  return place;
}

std::string hash_of(const std::vector<ConfigFile>& files) {
  if (files.size() == 1) return to_hex(sha256(files.front().text));
  std::string sums;
  for (const ConfigFile& file : files)
    sums += to_hex(sha256(file.text)) + "  " + file.name + "\n";
  return to_hex(sha256(sums));
}

Result<std::string, Diagnostic> read_regular_file(const std::string& file) {
  return text_of(file, OpenFile(file));
}

Result<std::string, Diagnostic> read_trusted_file(const std::string& file) {
  const OpenFile opened(file);
  const bool is_file = !opened.fault && S_ISREG(opened.info.st_mode);
  const auto weakness = is_file ? weakness_of_path(file) : std::nullopt;
  if (weakness) return Err(untrusted(file, *weakness));
  return text_of(file, opened);
}

}  // namespace sharedrift
