#include "credentials/place_case.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::check_place;
using testing::cli_profile;
using ::testing::ElementsAre;
using testing::write_cli;

TEST(Places, ExternalCommandOfACliProfile) {
  check_place<CredentialKind::cli_profile>({
      {"External",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "External", R"("process_command":"'/opt/my tool' --for me")"));
         m.run = [](const std::vector<std::string>& argv) -> Result<std::string, std::string> {
           EXPECT_THAT(argv, ElementsAre("/opt/my tool", "--for", "me"));
           return std::string{
               R"({"mode":"StsToken","access_key_id":"STS.X","access_key_secret":"hush","sts_token":"hush-t"})"};
         };
       },
       "STS.X", ""},
      {"External in a file that others can write",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "External", R"("process_command":"tool")"));
         std::filesystem::permissions(m.home.file(".aliyun/config.json"), std::filesystem::perms{0666});
         m.run = [](const auto& /*argv*/) -> Result<std::string, std::string> {
           ADD_FAILURE() << "it was run";
           return Err(std::string{"run"});
         };
       },
       "", "process_command is not run, since others can write to the file"},
      {"External fails",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "External", R"("process_command":"tool hush")"));
       },
       "", "the external command no such program"},
      {"External prints rubbish",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "External", R"("process_command":"tool")"));
         m.run = [](const auto& /*argv*/) -> Result<std::string, std::string> {
           return std::string{"error: hush"};
         };
       },
       "", "what the external command tool printed is of no use: not a JSON object"},
      {"External without a command",
       [](auto& m, auto&) { write_cli(m, cli_profile("main", "External", R"("process_command":" ")")); }, "",
       "process_command is empty"},
      {"External switched off",
       [](auto& m, auto&) {
         write_cli(m, cli_profile("main", "External", R"("process_command":"tool")"));
         m.variables["ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"] = "true";
       },
       "", "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"},
  });
}

TEST(Places, CommandLinesAreSplitWithoutAShell) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> good{
      {"tool", {"tool"}},
      {"  tool\t-a  b\n", {"tool", "-a", "b"}},
      {"'a b' \"c d\" e\\ f", {"a b", "c d", "e f"}},
      {R"("a\"b" "c\d" 'e\f')", {"a\"b", "c\\d", "e\\f"}},
      {"tool '' $HOME `id` ; *", {"tool", "", "$HOME", "`id`", ";", "*"}},
  };
  for (const auto& [line, words] : good) {
    const auto split = split_command(line);
    ASSERT_TRUE(split) << line;
    EXPECT_EQ(*split, words);
  }
  for (const char* bad : {"", "  ", "'a", "\"a", "a\\"})
    EXPECT_FALSE(split_command(bad)) << bad;
}

}  // namespace
}  // namespace sharedrift
