#pragma once

#include "app/cli.hpp"
#include "config/config.hpp"
#include "doctor/session.hpp"

#include <stop_token>

namespace sharedrift {

/// The command `doctor`: meets the API of one profile, prints what it found, and writes the report that was
/// asked for. Its exit code: 0, 1 and 3 as exit_code() says, 2 for bad usage.
int doctor(const Options& options, const Config& config, const std::stop_token& stop);

/// A session with the API of `profile`. Everything outlives it.
DoctorSession open_session(const ProfileConfig& profile, Clock& clock, Random& random,
                           HttpTransport& transport);

}  // namespace sharedrift
