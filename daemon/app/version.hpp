#pragma once

/// What `--version` and share_drift_build_info say; CMake writes the definitions.
namespace sharedrift {
extern const char* const kVersion;
extern const char* const kRevision;
}  // namespace sharedrift
