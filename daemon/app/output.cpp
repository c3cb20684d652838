#include "app/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace sharedrift {

namespace {

int first_error = 0;  // of errno

}  // namespace

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() && first_error == 0)
    first_error = errno;
}

int finish_output(int code) {
  constexpr int kNotWritten = 1;
  if (std::fflush(stdout) != 0 && first_error == 0) first_error = errno;
  if (first_error == 0) return code;
  std::fprintf(stderr, "share-drift-exporter: the output could not be written whole: %s\n",
               std::strerror(first_error));
  return kNotWritten;
}

}  // namespace sharedrift
