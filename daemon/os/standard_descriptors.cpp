#include "os/standard_descriptors.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include <fcntl.h>
#include <unistd.h>

namespace sharedrift {

bool take_standard_descriptors() {
  constexpr std::array kStandard{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  return std::all_of(kStandard.begin(), kStandard.end(), [](int fd) {
    if (::fcntl(fd, F_GETFD) != -1) return true;
    const int wrong_way = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    return ::open("/dev/null", wrong_way) == fd;  // the lowest free one is taken, and that is fd
  });
}

}  // namespace sharedrift
