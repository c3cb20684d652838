#include "app/app.hpp"
#include "app/cli.hpp"
#include "app/output.hpp"
#include "os/process.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

constexpr int kStartFailure = 1;
constexpr int kBug = 70;

/// No secret may end in a core dump or be read by a debugger of the same user, and no key of a TLS session in
/// a file that the environment names.
void keep_memory_private() {
  ::unsetenv("SSLKEYLOGFILE");
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

/// Before any thread exists: the mask is inherited, and from here on a signal can only be waited for.
void take_signals() {
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = sharedrift::signal_set({SIGTERM, SIGINT, SIGHUP, SIGUSR1});
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

int run(const std::vector<std::string>& arguments) {
  const auto options = sharedrift::parse_command_line(arguments, host_name());
  if (!options) {
    const auto& exit = options.error();
    if (exit.code == 0) {
      sharedrift::print(exit.text);
    } else {
      std::fputs(exit.text.c_str(), stderr);
    }
    return exit.code;
  }
  return options->command == sharedrift::Command::run ? sharedrift::run_daemon(*options)
                                                      : sharedrift::run_command(*options);
}

}  // namespace

int main(int argc, char** argv) {
  if (!sharedrift::take_standard_descriptors()) return kStartFailure;
  keep_memory_private();
  sharedrift::keep_heap_small();
  take_signals();
  try {
    return sharedrift::finish_output(run(std::vector<std::string>(argv + 1, argv + argc)));
  } catch (const std::exception& bug) {
    std::fprintf(stderr, "share-drift-exporter: internal error: %s\n", bug.what());
  } catch (...) {
    std::fputs("share-drift-exporter: internal error\n", stderr);
  }
  return kBug;
}
