#include "app/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/ioctl.h>
#include <unistd.h>

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

int refuse(const std::string& why, int code) {
  std::fprintf(stderr, "share-drift-exporter: %s%s", why.c_str(), why.ends_with('\n') ? "" : "\n");
  return code;
}

Screen screen() {
  constexpr std::size_t kUsual = 80;
  if (::isatty(STDOUT_FILENO) == 0) return {};
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  const char* plain = std::getenv("NO_COLOR");
  return {known ? size.ws_col : kUsual, plain == nullptr || *plain == '\0'};
}

std::size_t columns_of(std::string_view text) {
  const auto width = [](char c) -> std::size_t {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0U) == 0x80U) return 0;  // the rest of a character
    return byte < 0xe0U ? 1 : 2;            // U+0800 and above
  };
  std::size_t columns = 0;
  for (const char c : text)
    columns += width(c);
  return columns;
}

}  // namespace sharedrift
