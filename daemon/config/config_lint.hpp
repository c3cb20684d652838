#pragma once

#include "config/diagnostic.hpp"
#include "core/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

struct LintReport {
  std::vector<Diagnostic> errors;    ///< the file is refused; then there are no warnings
  std::vector<Diagnostic> warnings;  ///< in the order of the file
};

/// What is wrong with a configuration, and what is legal but hardly meant: exceptions that have ended, end
/// within 14 days, or change nothing since the account is allowed anyway; entries of a list that other
/// entries make superfluous; rules that no image can reach; address-book entries, groups and profiles that
/// nothing refers to.
LintReport lint_config(std::string_view text, const std::string& file, WallTime now);

/// The same for a file, with the checks of load_config().
LintReport lint_config_file(const std::string& file, WallTime now);

}  // namespace sharedrift
