#include "os/system_random.hpp"

#include <cerrno>
#include <exception>

#include <sys/random.h>

namespace sharedrift {

std::uint64_t SystemRandom::next() {
  const std::scoped_lock lock(mutex_);
  if (left_ == 0) {
    // Up to 256 bytes come whole once the kernel's pool is ready; a nonce from less than that would be worth
    // nothing.
    constexpr std::size_t kChunk = 256;
    auto* bytes = reinterpret_cast<unsigned char*>(block_.data());
    for (std::size_t filled = 0; filled < sizeof block_; filled += kChunk) {
      while (::getrandom(bytes + filled, kChunk, 0) != static_cast<ssize_t>(kChunk)) {
        if (errno != EINTR) std::terminate();
      }
    }
    left_ = block_.size();
  }
  return block_.at(--left_);
}

}  // namespace sharedrift
