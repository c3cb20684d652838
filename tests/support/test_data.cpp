#include "support/test_data.hpp"

namespace sharedrift::testing {

std::filesystem::path test_data(const std::filesystem::path& name) {
  return std::filesystem::path(SHAREDRIFT_TEST_DATA) / name;
}

}  // namespace sharedrift::testing
