#include "http_server/http_server.hpp"
#include "http_server/sockets.hpp"
#include "os/process.hpp"
#include "os/sd_notify.hpp"
#include "simulator/delivery.hpp"
#include "simulator/options.hpp"
#include "simulator/simulator.hpp"
#include "simulator/tls.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using sharedrift::HttpServer;
using sharedrift::Instant;
using sharedrift::Millis;
using sharedrift::Result;
using sharedrift::ServerOptions;
using sharedrift::ServerRequest;
using sharedrift::WallTime;
using sharedrift::simulator::Options;
using sharedrift::simulator::Simulator;

constexpr int kStartFailed = 1;
constexpr int kBadUsage = 2;
constexpr int kBug = 70;

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // before any thread
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Instant now() {
  const auto wall = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  return {std::chrono::steady_clock::now(), WallTime{wall.time_since_epoch()}};
}

/// SIGTERM and SIGINT, blocked so that only the main thread sees them.
sigset_t block_signals() {
  const sigset_t set = sharedrift::signal_set({SIGTERM, SIGINT});
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

/// A server for load, with long deadlines.
ServerOptions server_options() {
  ServerOptions out;
  out.max_connections = 4096;
  out.max_head = 65'536;
  out.max_body = 8U << 20U;
  out.head_deadline = out.idle_deadline = Millis{60'000};
  out.answer_deadline = Millis{600'000};
  return out;
}

int fail(const std::string& why, int code = kStartFailed) {
  std::cerr << "ens-simulator: " << why << "\n";
  return code;
}

void announce(const Options& options, const HttpServer& plain, const HttpServer* tls) {
  std::cout << R"({"event":"listening","host":")" << options.host << R"(","port":)" << plain.port();
  if (tls != nullptr) std::cout << R"(,"tls_port":)" << tls->port();
  std::cout << "}" << std::endl;  // at once: whoever started this waits for the port
  sharedrift::SystemdNotifier::ready("listening on port " + std::to_string(plain.port()));
}

int serve(const Options& options, Simulator& simulator, const sigset_t& signals) {
  const auto start = [&](int port, ServerOptions with) -> Result<std::unique_ptr<HttpServer>, std::string> {
    SD_TRY(socket, sharedrift::open_listening_socket(options.host, port));
    return HttpServer::start({socket}, std::move(with), [&simulator](const ServerRequest& request) {
      return sharedrift::simulator::to_response(simulator.handle(request, now()));
    });
  };
  auto plain = start(options.port, server_options());
  if (!plain) return fail(plain.error());
  std::unique_ptr<HttpServer> tls;
  if (!options.tls_cert.empty()) {
    auto context = sharedrift::simulator::load_tls(options.tls_cert, options.tls_key);
    if (!context) return fail(context.error(), kBadUsage);
    ServerOptions with_tls = server_options();
    with_tls.tls_context = [context = *context] { return context; };
    auto started = start(options.tls_port, std::move(with_tls));
    if (!started) return fail(started.error());
    tls = std::move(started).value();
  }
  announce(options, **plain, tls.get());
  int signal = 0;
  sigwait(&signals, &signal);
  (*plain)->stop(Millis{200});
  if (tls) tls->stop(Millis{200});
  return 0;
}

int run(std::vector<std::string> arguments) {
  const sigset_t signals = block_signals();
  auto options = sharedrift::simulator::parse_options(std::move(arguments), environment, read_file);
  if (!options) {
    (options.error().exit_code == 0 ? std::cout : std::cerr) << options.error().text;
    return options.error().exit_code;
  }
  auto simulator = Simulator::create(options->scenario, options->seed, read_file, now().wall);
  if (!simulator) return fail(simulator.error(), kBadUsage);
  if (!options->unseen.empty()) {
    std::cerr << "ens-simulator: doctor did not see " << options->unseen
              << ": there it behaves as the documentation says\n";
  }
  return serve(*options, **simulator, signals);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& problem) {
    return fail(problem.what(), kBug);
  }
}
