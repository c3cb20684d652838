#pragma once

#include "ports.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <mutex>

namespace sharedrift {

/// Random numbers from the kernel, fetched in blocks. Where there are none the program ends: a nonce from
/// anything less would be worth nothing. Thread-safe.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override {
    const std::scoped_lock lock(mutex_);
    if (left_ == 0) {
      ::arc4random_buf(block_.data(), sizeof block_);
      left_ = block_.size();
    }
    return block_.at(--left_);
  }

 private:
  std::mutex mutex_;
  std::array<std::uint64_t, 64> block_{};
  std::size_t left_ = 0;
};

}  // namespace sharedrift
