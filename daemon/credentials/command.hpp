#pragma once

#include "credentials/source.hpp"

namespace sharedrift {

/// Runs programs found along PATH, with this process's environment, no input and no shell; what they print to
/// stderr is dropped (it may hold secrets). After `limit`, at a stop request or beyond 64 KiB of output the
/// program and its process group are killed.
RunCommand command_runner(Millis limit = Millis{60'000});

}  // namespace sharedrift
