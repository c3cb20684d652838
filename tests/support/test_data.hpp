#pragma once

#include <filesystem>

namespace sharedrift::testing {

/// tests/data/NAME of the source tree.
std::filesystem::path test_data(const std::filesystem::path& name);

}  // namespace sharedrift::testing
