#include "config/config_lint.hpp"

#include "support/temp_dir.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {

namespace {

const WallTime kNow = *parse_rfc3339("2026-11-24T09:20:44Z");

std::string lint(const std::string& text, WallTime now = kNow) {
  const LintReport report = lint_config({{"c.yml", text}}, now);
  std::string out;
  for (const Diagnostic& d : report.errors)
    out += "error " + to_string(d) + "\n";
  for (const Diagnostic& d : report.warnings)
    out += to_string(d) + "\n";
  return out;
}

std::string with_exception(const std::string& expires) {
  return "images:\n  - id: m-1\n    allowed: []\n    exceptions:\n      - account: 3\n        expires: " +
         expires + "\n        owner: o\n        ticket: t\n        reason: r\n";
}

}  // namespace

TEST(ConfigLint, HasNothingToSayOfACleanFile) {
  EXPECT_EQ(
      lint("profiles: {default: {}}\n"
           "accounts: {\"1\": {name: a}, \"2\": {name: b}, \"3\": {name: c}, \"4\": {name: d}}\n"
           "groups: {both: [\"1\", \"2\"], one: [\"1\"]}\n"
           "images:\n"
           "  - id: m-1\n"
           "    required: [\"2\"]\n"
           "    allowed: [group:both, group:one, \"3\"]\n"  // groups may overlap, and hold what is required
           "    exceptions: [{account: \"4\", expires: 2027-03-31, owner: o, ticket: t, reason: r}]\n"),
      "");
}

TEST(ConfigLint, GivesErrorsAloneForAFileThatIsRefused) {
  EXPECT_EQ(lint("images:\n  - id: m-1\n    allowed: [\"1\", \"1\"]\n    nmae: x\n"),
            "error c.yml:4:5: images[0].nmae: unknown key (did you mean \"name\"?)\n");
  EXPECT_EQ(lint("images: [\n").substr(0, 17), "error c.yml:1:1: ");
}

TEST(ConfigLint, RefusesTheDraftThatBaselinePrints) {
  EXPECT_EQ(
      lint("images:\n  - id: m-1\n    allowed: []\n    exceptions:\n"
           "      - {account: 3, expires: 2027-03-31, owner: \"\", ticket: \"\", reason: \"\"}\n"
           "      - {account: 4, expires: 2027-03-31, owner: o, ticket: \"\", reason: r}\n"),
      "error c.yml:5:9: images[0].exceptions[0]: owner, ticket and reason must be given (somebody answers "
      "for each entry)\n"
      "error c.yml:6:61: images[0].exceptions[1].ticket: must not be empty\n")
      << "one line for an exception, since there may be hundreds";
}

TEST(ConfigLint, WarnsOfExceptionsThatEndedOrEndWithinFourteenDays) {
  const std::string place = "c.yml:6:18: warning: images[0].exceptions[0].expires: ";
  EXPECT_EQ(lint(with_exception("2026-11-23")),
            place + "this exception has ended: \"2026-11-23\" (take it out, or renew it)\n");
  EXPECT_EQ(lint(with_exception("2026-11-24")),
            place + "this exception ends soon: \"2026-11-24\" (in less than a day)\n");
  EXPECT_EQ(lint(with_exception("2026-11-25")),
            place + "this exception ends soon: \"2026-11-25\" (in 1 day)\n");
  EXPECT_EQ(lint(with_exception("2026-12-07")),
            place + "this exception ends soon: \"2026-12-07\" (in 13 days)\n");
  EXPECT_EQ(lint(with_exception("2026-12-08")), "");
  EXPECT_EQ(lint(with_exception("2026-12-08T09:20:44Z")),
            place + "this exception ends soon: \"2026-12-08T09:20:44Z\" (in 14 days)\n");
  EXPECT_EQ(lint(with_exception("2026-12-08T09:20:45Z")), "");
  EXPECT_EQ(lint(with_exception("2026-11-24T09:20:44Z")),
            place + "this exception has ended: \"2026-11-24T09:20:44Z\" (take it out, or renew it)\n");
}

TEST(ConfigLint, WarnsOfEntriesThatGrantTwice) {
  EXPECT_EQ(
      lint("groups:\n"
           "  g: [\"1\", \"2\", \"1\"]\n"
           "images:\n"
           "  - id: m-1\n"
           "    required: [\"7\", \"8\", \"7\"]\n"
           "    allowed: [\"2\", group:g, group:g, \"5\", \"5\", \"8\"]\n"),
      "c.yml:2:17: warning: groups.g[2]: account \"1\" is allowed twice in this group (see line 2)\n"
      "c.yml:5:26: warning: images[0].required[2]: account \"7\" is allowed twice by this list (see line 5)\n"
      "c.yml:6:15: warning: images[0].allowed[0]: account \"2\" is allowed twice by this list (see line 6)\n"
      "c.yml:6:29: warning: images[0].allowed[2]: \"group:g\" is in this list already\n"
      "c.yml:6:43: warning: images[0].allowed[4]: account \"5\" is allowed twice by this list (see line 6)\n"
      "c.yml:6:48: warning: images[0].allowed[5]: account \"8\" is required, and so allowed already (see "
      "line 5)\n");
}

TEST(ConfigLint, WarnsOfExceptionsThatChangeNothing) {
  const auto with = [](const std::string& lists) {
    return lint("groups: {g: [\"3\"]}\nimages:\n  - id: m-1\n" + lists +
                "    exceptions: [{account: \"3\", expires: 2027-03-31, owner: o, ticket: t, reason: r}]\n");
  };
  const std::string warning =
      "images[0].exceptions[0].account: account \"3\" is allowed anyway: this exception changes nothing, nor "
      "will "
      "its end (see line 4)\n";
  EXPECT_EQ(with("    allowed: [group:g]\n"), "c.yml:5:28: warning: " + warning);
  EXPECT_EQ(with("    required: [group:g]\n    allowed: []\n"), "c.yml:6:28: warning: " + warning);
}

TEST(ConfigLint, WarnsOfWhatNothingRefersTo) {
  EXPECT_EQ(lint("profiles:\n  default: {}\n  hangzhou: {}\n  shanghai: {}\n"
                 "accounts:\n  \"1\": {name: a}\n  \"2\": {name: b}\n  \"3\": {name: c}\n"
                 "groups:\n  used: [\"1\"]\n  unused: [\"2\"]\n"
                 "images:\n  - {id: m-1, profile: hangzhou, allowed: [group:used]}\n"),
            "c.yml:2:3: warning: profiles.default: no image and no rule uses this profile\n"
            "c.yml:4:3: warning: profiles.shanghai: no image and no rule uses this profile\n"
            "c.yml:8:3: warning: accounts.3: no list and no exception names this account\n"
            "c.yml:11:3: warning: groups.unused: no image and no rule uses this group\n");
}

TEST(ConfigLint, WarnsOfRulesThatNoImageCanReach) {
  EXPECT_EQ(
      lint("profiles: {default: {}, apac: {}}\n"
           "discover:\n"
           "  - {name: \"edge-*\", profile: apac, allowed: []}\n"
           "  - {name: \"edge-*\", allowed: []}\n"  // of the other profile
           "  - {name: \"edge-*\", profile: default, allowed: []}\n"
           "  - {name: \"lab\", allowed: []}\n"
           "  - {profile: apac, allowed: []}\n"
           "  - {name: \"x\", profile: apac, allowed: []}\n"
           "  - {name: \"**\", allowed: []}\n"
           "  - {name: \"y\", allowed: []}\n"),
      "c.yml:5:5: warning: discover[2]: no image reaches this rule: an earlier one takes them all (see "
      "line 4)\n"
      "c.yml:8:5: warning: discover[5]: no image reaches this rule: an earlier one takes them all (see "
      "line 7)\n"
      "c.yml:10:5: warning: discover[7]: no image reaches this rule: an earlier one takes them all (see "
      "line 9)\n");
}

TEST(ConfigLint, LooksAtTheListsOfARuleAsAtThoseOfAnImage) {
  EXPECT_EQ(
      lint("profiles: {apac: {}, unused: {}}\n"
           "accounts: {\"1\": {name: a}, \"2\": {name: b}}\n"
           "groups: {g: [\"1\"]}\n"
           "discover:\n"
           "  - profile: apac\n"
           "    allowed: [group:g, \"1\"]\n"
           "    exceptions: [{account: \"2\", expires: 2026-11-23, owner: o, ticket: t, reason: r}]\n"),
      "c.yml:1:22: warning: profiles.unused: no image and no rule uses this profile\n"
      "c.yml:6:24: warning: discover[0].allowed[1]: account \"1\" is allowed twice by this list (see line "
      "6)\n"
      "c.yml:7:42: warning: discover[0].exceptions[0].expires: this exception has ended: \"2026-11-23\" "
      "(take it out, or renew it)\n");
  EXPECT_EQ(lint("profiles: {apac: {}, other: {}}\ndiscover: [{allowed: []}]\n"), "") << "of every profile";
}

TEST(ConfigLint, WarnsOfIgnoredImagesWhileTheInventoryIsOff) {
  const std::string ignored = "ignore: [{id: m-2, owner: o, reason: r}]\nimages: [{id: m-1, allowed: []}]\n";
  EXPECT_EQ(lint("inventory: off\n" + ignored),
            "c.yml:2:1: warning: ignore: changes nothing while the inventory is off\n");
  EXPECT_EQ(lint("inventory: {interval: 1h}\n" + ignored), "");
  EXPECT_EQ(lint(ignored), "") << "it is on unless it is off";
}

TEST(ConfigLint, TakesSeveralFilesForOneConfiguration) {
  const LintReport report = lint_config(
      {{"base.yml",
        "groups: {used: [\"1\"], unused: [\"2\"]}\naccounts: {\"1\": {name: a}, \"3\": {name: c}}\n"},
       {"team.yml", "images: [{id: m-1, allowed: [\"3\", group:used, \"1\"]}]\ndiscover: [{allowed: []}]\n"},
       {"late.yml", "discover: [{name: x, allowed: []}]\n"}},
      kNow);
  EXPECT_TRUE(report.errors.empty());
  std::string told;
  for (const Diagnostic& d : report.warnings)
    told += to_string(d) + "\n";
  EXPECT_EQ(
      told,
      "base.yml:1:23: warning: groups.unused: no image and no rule uses this group\n"
      "team.yml:1:47: warning: images[0].allowed[2]: account \"1\" is allowed twice by this list (see line "
      "1)\n"
      "late.yml:1:12: warning: discover[0]: no image reaches this rule: an earlier one takes them all (see "
      "line 2 of team.yml)\n");
}

TEST(ConfigLint, LooksAtTheFilesAsTheLoaderDoesAndWarnsOfThoseThatOthersCanWrite) {
  const LintReport report = lint_config_files({"/nonexistent/c.yml"}, kNow);
  ASSERT_EQ(report.errors.size(), 1U);
  EXPECT_EQ(to_string(report.errors[0]), "/nonexistent/c.yml: cannot be opened: No such file or directory");
  const testing::TempDir dir;
  const std::string file = dir.file("c.yml");
  std::ofstream(file) << "images: [{id: m-1, allowed: []}]\n";
  std::filesystem::permissions(file, std::filesystem::perms{0666});
  const LintReport open = lint_config_files({file}, kNow);
  ASSERT_EQ(open.warnings.size(), 1U);
  EXPECT_EQ(to_string(open.warnings[0]),
            file + ": warning: can be changed by others than its owner (chmod go-w " + file + ")");
}

TEST(ConfigLint, RemarksAboutImagesAreWarningsWhereTheImageStands) {
  const auto found =
      lint_images({{"c.yml", "images:\n  - {id: m-1, allowed: []}\n"}},
                  {{"m-1", {"was never read", "look at it"}}, {"m-2", {"is unknown", "add it"}}});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(to_string(found[0]), "c.yml:2:10: warning: images[0].id: was never read (look at it)");
  EXPECT_EQ(to_string(found[1]), "c.yml: warning: is unknown (add it)");
  EXPECT_EQ(found[1].column, 0);
}

}  // namespace sharedrift
