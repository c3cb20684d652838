#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sharedrift::simulator {

/// RequestIds, key ids and secrets that look right. Foreseeable on purpose: the same seed gives the same run.
/// Not thread-safe.
class IdSource {
 public:
  explicit IdSource(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// `A44EE357-6174-5E37-A801-48F5790F9ACE`.
  std::string uuid();
  /// Letters and digits.
  std::string letters(std::size_t length);

 private:
  std::uint64_t state_;
};

}  // namespace sharedrift::simulator
