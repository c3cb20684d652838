#pragma once

#include "app/cli.hpp"
#include "core/result.hpp"
#include "ports.hpp"

#include <string>

namespace sharedrift {

/// The listening sockets of the web server: on the addresses that the command line names, each of which is
/// told to `sink`, or those that systemd hands over. The error names what is wrong.
Result<std::vector<int>, std::string> open_listeners(const Options& options, EventSink& sink,
                                                     const Clock& clock);

}  // namespace sharedrift
