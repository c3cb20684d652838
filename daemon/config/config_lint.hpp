#pragma once

#include "config/config_files.hpp"
#include "config/diagnostic.hpp"
#include "core/time.hpp"

#include <map>
#include <string>
#include <vector>

namespace sharedrift {

struct LintReport {
  std::vector<Diagnostic> errors;    ///< the configuration is refused; then nothing else is looked at
  std::vector<Diagnostic> warnings;  ///< in the order of the files
};

/// What is wrong with a configuration, and what is legal but hardly meant: exceptions that have ended, end
/// within 14 days, or change nothing since the account is allowed anyway; entries of a list that other
/// entries make superfluous; rules that no image can reach; address-book entries, groups and profiles that
/// nothing refers to.
LintReport lint_config(const std::vector<ConfigFile>& files, WallTime now);

/// The same of what read_config_files() reads. Files that others can write are warnings, before all others.
LintReport lint_config_files(const std::vector<std::string>& paths, WallTime now);

/// What is to be said of images that the files of a sound configuration name, by id: a warning at each id, in
/// the order of the files. What no file names is told of the first file as a whole.
struct ImageRemark {
  std::string message;
  std::string hint{};
};
std::vector<Diagnostic> lint_images(const std::vector<ConfigFile>& files,
                                    std::multimap<std::string, ImageRemark> remarks);

}  // namespace sharedrift
