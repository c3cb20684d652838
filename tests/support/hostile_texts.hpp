#pragma once

#include <array>
#include <string>

namespace sharedrift::testing {

/// U+202E, letter by letter: as a whole it would turn this very line around in some editors.
inline std::string right_to_left() {
  return {'\xe2', '\x80', '\xae'};
}

/// Text that breaks careless writers.
inline const std::array<std::string, 10>& hostile_texts() {
  static const std::array<std::string, 10> texts{
      "",
      "plain",
      "quote \" backslash \\ done",
      "line\nend",
      "\"} 1\nforged{x=\"",
      "bad \xff\xfe bytes \xc3",
      std::string("turned ") + right_to_left() + " around",
      std::string("nul \0 inside", 12),
      "\xe9\x98\xbf\xe9\x87\x8c",
      "\\n is not a line end\r\t\x1b[31m",
  };
  return texts;
}

}  // namespace sharedrift::testing
