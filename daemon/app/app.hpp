#pragma once

#include "app/cli.hpp"

namespace sharedrift {

/// The daemon, from its options to its exit code: 0 after a clean stop, 1 if it could not start, 2 for a bad
/// configuration, 70 for a bug. Signals TERM, INT and HUP must be blocked by the caller before any thread
/// exists.
int run_daemon(const Options& options);

/// Everything that polls once or not at all: check, lint, baseline, plan, history. The exit code is the
/// manual's.
int run_command(const Options& options);

}  // namespace sharedrift
