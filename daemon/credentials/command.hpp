#pragma once

#include "credentials/source.hpp"

#include <string>

namespace sharedrift {

/// Runs programs found along PATH, with the little of this process's environment that they need to find their
/// way, none of its descriptors, no input and no shell; what they print to stderr is dropped (it may hold
/// secrets). After `limit`, at a stop request or beyond 64 KiB of output the program and its process group
/// are killed.
RunCommand command_runner(Millis limit = Millis{60'000});

/// How others could put another program in place of the one that `name` starts, in words; empty: they cannot.
std::string weakness_of_program(const std::string& name);
/// The same, and why it cannot be started at all.
std::string fault_of_program(const std::string& name);

}  // namespace sharedrift
