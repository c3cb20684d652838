#pragma once

#include "core/time.hpp"

#include <csignal>
#include <initializer_list>

namespace sharedrift {

/// The set of these signal numbers, which are the system's.
sigset_t signal_set(std::initializer_list<int> numbers);

/// One of `signals`, which every thread must have blocked, or -1 when none came within `limit`.
int wait_for_signal(const sigset_t& signals, Millis limit);

}  // namespace sharedrift
