#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sharedrift {

/// To standard output. What fails is told by finish_output().
void print(std::string_view text);

/// The program's exit code: `code`, or 1 and a message where not all could be written. Called once, at its
/// end.
int finish_output(int code);

/// Says on standard error why it ends, and gives the exit code: 2 is for bad usage and configuration.
int refuse(const std::string& why, int code = 2);

/// How standard output is looked at.
struct Screen {
  std::size_t columns = 0;  ///< 0: not a terminal, a line is as long as it is
  bool colour = false;      ///< on a terminal, unless NO_COLOR is set
};
Screen screen();

/// The columns that UTF-8 takes on a terminal, or some more: what may be wide counts as wide.
std::size_t columns_of(std::string_view text);

}  // namespace sharedrift
