#pragma once

#include "app/cli.hpp"
#include "app/output.hpp"
#include "config/config.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace sharedrift {

/// The daemon, from its options to its exit code: 0 after a clean stop, 1 if it could not start, 2 for a bad
/// configuration, 70 for a bug. Signals TERM, INT and HUP must be blocked by the caller before any thread
/// exists.
int run_daemon(const Options& options);

/// Everything that polls once or not at all: check, lint, baseline, plan, history. The exit code is the
/// manual's.
int run_command(const Options& options);

/// The command `doctor`: meets the API of one profile, prints what it found, and writes the report that was
/// asked for. Its exit code: 0, 1 and 3 as exit_code() says, 2 for bad usage.
int doctor(const Options& options, const Config& config, const std::stop_token& stop);

/// The command `history`: prints what the state database holds; its exit code.
int history(const Options& options);
/// The events as people read them: how many and how bad in one line, then a row for each, oldest first. On a
/// screen, sentences are folded within their column. In the history `of_image` those that name no image are
/// marked.
std::string history_table(const std::vector<Event>& events, const Screen& screen, bool of_image = false);

}  // namespace sharedrift
