#pragma once

#include <string_view>

namespace sharedrift {

/// To standard output. What fails is told by finish_output().
void print(std::string_view text);

/// The program's exit code: `code`, or 1 and a message where not all could be written. Called once, at its
/// end.
int finish_output(int code);

}  // namespace sharedrift
