#include "credentials/command.hpp"

#include "core/text.hpp"
#include "os/descriptor.hpp"
#include "os/file.hpp"
#include "os/trusted_path.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot to declare it for C++
}

namespace sharedrift {

namespace {

constexpr std::size_t kMaxOutput = 64U << 10U;
/// What a program needs to find its way. Not ours to give: keys, systemd's sockets, what changes how
/// libraries load or what they write down.
constexpr auto kPassedOn =
    std::to_array<std::string_view>({"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR",
                                     "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY",
                                     "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "CREDENTIALS_DIRECTORY"});

/// The entries of the environment that a program gets, and a null.
std::vector<char*> passed_on() {
  std::vector<char*> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (name.starts_with("LC_") || std::find(kPassedOn.begin(), kPassedOn.end(), name) != kPassedOn.end())
      out.push_back(*entry);
  }
  out.push_back(nullptr);
  return out;
}
using SteadyTime = std::chrono::steady_clock::time_point;

/// A program under way and the reading end of its output.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) reap();
  }
  /// 0, or the errno of what went wrong.
  int start(const std::vector<std::string>& argv);
  /// Reads what is there; false when the output went over the cap.
  bool drain(std::string& text);
  /// Ends the program, if it runs, and all that it left behind; its status.
  std::optional<int> reap();

  Descriptor output;
  Descriptor ended;  ///< becomes readable when the program ended

 private:
  pid_t pid_ = -1;
};

int Child::start(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno;
  output.reset(ends[0]);
  const Descriptor input(ends[1]);
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  // Not all of a library's descriptors close by themselves.
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  // The daemon blocks signals in every thread; the program must be able to get them.
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const std::string& word : argv) {
    words.push_back(const_cast<char*>(word.c_str()));  // posix_spawn does not write to them
  }
  words.push_back(nullptr);
  const int error = ::posix_spawnp(&pid_, words[0], &actions, &attributes, words.data(), passed_on().data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    pid_ = -1;
    return error;
  }
  ended.reset(::pidfd_open(pid_, 0));
  return ended.get() < 0 ? errno : 0;
}

bool Child::drain(std::string& text) {
  std::string chunk(4096, '\0');
  for (;;) {
    const ssize_t got = ::read(output.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) output.reset();
    if (got <= 0) break;
    if (text.size() + static_cast<std::size_t>(got) > kMaxOutput) return false;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  wipe(chunk);
  return true;
}

std::optional<int> Child::reap() {
  ::kill(-pid_, SIGKILL);  // the leader's number is still taken, so this reaches its own group only
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = ::waitpid(pid_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  pid_ = -1;
  if (reaped < 0) return std::nullopt;
  return status;
}

/// Until the program ended: nothing; else why it must be killed.
std::optional<std::string> follow(Child& child, std::string& output, int stop_fd, SteadyTime deadline,
                                  Millis limit) {
  for (;;) {
    const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
    if (left <= Millis{0}) return "did not end within " + format_duration(limit);
    std::array<pollfd, 3> waited{
        {{child.ended.get(), POLLIN, 0}, {child.output.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}}};
    const int ready =
        ::poll(waited.data(), waited.size(), static_cast<int>(std::min<Millis::rep>(left.count(), 1 << 30)));
    if (ready < 0 && errno != EINTR) return "cannot be waited for: " + system_message(errno);
    if (ready <= 0) continue;
    if (waited[2].revents != 0) return "was stopped";
    if (child.output.get() >= 0 && !child.drain(output)) {
      return "prints more than " + std::to_string(kMaxOutput) + " bytes";
    }
    if (waited[0].revents != 0) return std::nullopt;
  }
}

Result<std::string, std::string> run(const std::vector<std::string>& argv, Millis limit,
                                     const std::stop_token& stop) {
  if (argv.empty() || argv.front().empty()) return Err(std::string{"the command is empty"});
  const std::string name = clean(argv.front(), 200) + " ";
  const SteadyTime deadline = std::chrono::steady_clock::now() + limit;
  const Descriptor stopped(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (stopped.get() < 0) return Err(name + "cannot be started: " + system_message(errno));
  const std::stop_callback on_stop(stop, [fd = stopped.get()] { ::eventfd_write(fd, 1); });

  Child child;
  if (const int error = child.start(argv); error != 0) {
    return Err(name + "cannot be started: " + system_message(error));
  }
  std::string output;
  if (auto trouble = follow(child, output, stopped.get(), deadline, limit)) {
    wipe(output);
    return Err(name + *trouble);
  }
  const bool fits = child.output.get() < 0 || child.drain(output);
  const std::optional<int> status = child.reap();
  std::string trouble;
  if (!fits) trouble = "prints more than " + std::to_string(kMaxOutput) + " bytes";
  if (!status) trouble = "was lost";
  if (status && WIFSIGNALED(*status)) trouble = "was killed by signal " + std::to_string(WTERMSIG(*status));
  if (status && WIFEXITED(*status) && WEXITSTATUS(*status) != 0) {
    trouble = "ended with status " + std::to_string(WEXITSTATUS(*status));
  }
  if (trouble.empty()) return output;
  wipe(output);
  return Err(name + trouble);
}

/// The folders of PATH with `name` in each, as far as the first that can be run.
std::vector<std::string> candidates_of(const std::string& name) {
  if (name.find('/') != std::string::npos) return {name};
  const char* path = std::getenv("PATH");
  std::string_view folders = path == nullptr ? "" : path;
  std::vector<std::string> files;
  while (!folders.empty() && (files.empty() || ::access(files.back().c_str(), X_OK) != 0)) {
    const std::string_view folder = folders.substr(0, folders.find(':'));
    folders.remove_prefix(std::min(folder.size() + 1, folders.size()));
    files.push_back(std::string(folder.empty() ? "." : folder) + "/" + name);
  }
  return files;
}

}  // namespace

std::string weakness_of_program(const std::string& name) {
  for (const std::string& file : candidates_of(name)) {
    if (auto weakness = weakness_of_path(file))
      return weakness->text();  // also of a folder that comes before
  }
  return "";
}

std::string fault_of_program(const std::string& name) {
  const std::vector<std::string> files = candidates_of(name);
  const int error = files.empty() ? ENOENT : ::access(files.back().c_str(), X_OK) == 0 ? 0 : errno;
  if (error != 0) return name + " cannot be started: " + system_message(error);
  const std::string weakness = weakness_of_program(name);
  return weakness.empty() ? "" : name + " could be replaced: " + weakness;
}

RunCommand command_runner(Millis limit) {
  return [limit](const std::vector<std::string>& argv, const std::stop_token& stop) {
    return run(argv, limit, stop);
  };
}

}  // namespace sharedrift
