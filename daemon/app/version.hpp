#pragma once

namespace sharedrift {

/// What `--version` and share_drift_build_info say; CMake writes the definitions.
const char* program_version();
const char* program_revision();

}  // namespace sharedrift
