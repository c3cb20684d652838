#pragma once

#include "ports.hpp"

#include <array>
#include <cstddef>
#include <mutex>

namespace sharedrift {

/// Random numbers from the kernel, fetched in blocks. Thread-safe.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;

 private:
  std::mutex mutex_;
  std::array<std::uint64_t, 64> block_{};
  std::size_t left_ = 0;
};

}  // namespace sharedrift
