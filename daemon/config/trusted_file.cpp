#include "config/config_loader.hpp"
#include "config/yaml_tree.hpp"
#include "os/descriptor.hpp"
#include "os/file.hpp"

#include <cerrno>

namespace sharedrift {

Result<std::string, Diagnostic> read_trusted_file(const std::string& file) {
  const auto refuse = [&file](std::string message, std::string hint = {}) {
    return Err(Diagnostic{file, 0, 0, "", std::move(message), std::move(hint)});
  };
  const Descriptor fd(open_to_read(file));
  if (fd.get() < 0) return refuse("cannot be opened: " + system_message(errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return refuse("cannot be looked at: " + system_message(errno));
  if (!S_ISREG(info.st_mode)) return refuse("is not a regular file");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refuse("can be changed by others than its owner", "chmod go-w " + file);
  }
  auto text = read_to_end(fd.get(), kMaxYamlBytes);
  if (text) return std::move(*text);
  return refuse(text.error() == EFBIG ? "is larger than 32 MiB"
                                      : "cannot be read: " + system_message(text.error()));
}

}  // namespace sharedrift
