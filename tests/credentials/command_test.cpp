#include "credentials/command.hpp"

#include "support/temp_dir.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Result<std::string, std::string> shell(const std::string& script, Millis limit = 60s,
                                       std::stop_token stop = {}) {
  return command_runner(limit)({"sh", "-c", script}, std::move(stop));
}

TEST(Command, ReturnsWhatAProgramPrints) {
  EXPECT_EQ(*shell("echo one; echo two >&2; cat"), "one\n");
  EXPECT_EQ(*command_runner()({"printf", "%s|", "a b", "$HOME", "*"}, {}), "a b|$HOME|*|");
  EXPECT_EQ(shell("head -c 65536 /dev/zero")->size(), 65536U);
}

TEST(Command, PassesTheEnvironmentAndUnblocksSignals) {
  const char* const path = std::getenv("PATH");
  EXPECT_EQ(*shell("printf %s \"$PATH\""), path == nullptr ? "" : path);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &all, &before), 0);
  EXPECT_THAT(*shell("grep SigBlk /proc/self/status"), HasSubstr("0000000000000000"));
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
}

TEST(Command, GivesNoSecretNoSocketAndNoWayToBeLedAstray) {
  for (const char* name : {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "SSLKEYLOGFILE", "NOTIFY_SOCKET", "BASH_ENV"})
    ::setenv(name, "hush", 1);
  const int forgotten = ::open("/dev/null", O_RDONLY);  // as a library does
  ASSERT_GE(forgotten, 3);
  EXPECT_THAT(*shell("env"), ::testing::Not(HasSubstr("hush")));
  // Without a pipe, which the shell itself would hold; and `ls` is not the last command, which the shell
  // becomes.
  EXPECT_THAT(*shell("ls -m /proc/$$/fd; true"), ::testing::MatchesRegex("0, 1, 2\n?"));
  ::close(forgotten);
  for (const char* name : {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "SSLKEYLOGFILE", "NOTIFY_SOCKET", "BASH_ENV"})
    ::unsetenv(name);
}

TEST(Command, SaysWhoCouldReplaceAProgram) {
  const testing::TempDir dir;
  const std::string folder = dir.file("tools");
  const std::string tool = folder + "/tool";
  std::filesystem::create_directory(folder);
  std::ofstream(tool) << "#!/bin/sh\n";
  std::filesystem::create_symlink(tool, dir.file("link"));
  const auto set_mode = [](const std::string& path, unsigned mode) {
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
  };
  set_mode(folder, 0755);
  set_mode(tool, 0755);
  EXPECT_EQ(weakness_of_program(tool), "");
  EXPECT_EQ(weakness_of_program(dir.file("link")), "");
  EXPECT_EQ(weakness_of_program(folder + "/absent"), "");
  EXPECT_EQ(weakness_of_program("sh"), "");
  set_mode(folder, 0777);
  EXPECT_EQ(weakness_of_program(dir.file("link")), folder + " can be changed by others than its owner");
  EXPECT_THAT(weakness_of_program(folder + "/../tools/tool"), HasSubstr("can be changed"));
  set_mode(folder, 01777);
  EXPECT_EQ(weakness_of_program(tool), "") << "as in /tmp";
  set_mode(tool, 0775);
  EXPECT_THAT(weakness_of_program(tool), HasSubstr("tool can be changed"));
  if (::geteuid() == 0) {
    set_mode(tool, 0755);
    ASSERT_EQ(::chown(tool.c_str(), 12345, 12345), 0);
    EXPECT_THAT(weakness_of_program(tool), HasSubstr("belongs to another user"));
  }
}

TEST(Command, TellsHowAProgramFailedWithoutShowingItsArguments) {
  EXPECT_EQ(shell("echo hush; exit 3").error(), "sh ended with status 3");
  EXPECT_EQ(shell("kill -9 $$").error(), "sh was killed by signal 9");
  EXPECT_EQ(command_runner()({"/nonexistent/tool", "hush"}, {}).error(),
            "/nonexistent/tool cannot be started: No such file or directory");
  EXPECT_EQ(command_runner()({}, {}).error(), "the command is empty");
  EXPECT_EQ(shell("head -c 65537 /dev/zero").error(), "sh prints more than 65536 bytes");
  EXPECT_EQ(shell("exec yes").error(), "sh prints more than 65536 bytes");
}

TEST(Command, KillsAProgramThatTakesTooLongWithItsChildren) {
  const testing::TempDir dir;
  const std::string pid_file = dir.file("pid");
  EXPECT_EQ(shell("sleep 1000 & echo $! > " + pid_file + "; wait", 300ms).error(),
            "sh did not end within 300ms");
  const auto alive = shell("kill -0 $(cat " + pid_file + ") && grep -v Z /proc/$(cat " + pid_file + ")/stat");
  EXPECT_FALSE(alive) << *alive;
}

TEST(Command, DoesNotWaitForAChildThatHoldsTheOutput) {
  EXPECT_EQ(*shell("sleep 20 & echo done"), "done\n");
}

TEST(Command, EndsWhenStopIsRequested) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(shell("sleep 1000", 60s, stop.get_token()).error(), "sh was stopped");
}

}  // namespace
}  // namespace sharedrift
