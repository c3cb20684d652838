#pragma once

#include <array>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace sharedrift::testing {

/// A pipe whose reading end is read only when the test says so.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) std::abort();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  [[nodiscard]] int in() const { return ends_[1]; }
  /// What is there to read now.
  std::string drain() {
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    std::string out;
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0; (n = ::read(ends_[0], buffer.data(), buffer.size())) > 0;)
      out.append(buffer.data(), static_cast<std::size_t>(n));
    return out;
  }
  /// Until nothing more fits.
  void fill() {
    ::fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    const std::string page(4096, '.');
    while (::write(ends_[1], page.data(), page.size()) > 0) {
    }
    ::fcntl(ends_[1], F_SETFL, 0);
  }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace sharedrift::testing
