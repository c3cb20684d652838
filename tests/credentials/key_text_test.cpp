#include "credentials/key_text.hpp"

#include "credentials/credential_world.hpp"
#include "credentials/key_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace sharedrift {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct KeyCase {
  std::string text;
  std::string id;      ///< empty: refused
  std::string secret;  ///< or, when refused, what the error says
  std::string token;
};

TEST(KeyText, ReadsEverySpellingAndRefusesTheRest) {
  const std::vector<KeyCase> cases{
      {"access_key_id=LTAI5t\naccess_key_secret=hush\n", "LTAI5t", "hush", ""},
      {"  access_key_id : LTAI5t \r\n\r\n# a comment\r\naccess_key_secret: "
       "'hush'\r\nsecurity_token=\"hush==\"",
       "LTAI5t", "hush", "hush=="},
      {"sts_token=hush2\naccess_key_secret=hush=1\naccess_key_id=STS.NT", "STS.NT", "hush=1", "hush2"},
      {"\xEF\xBB\xBF"
       "access_key_id=\xC2\xA0LTAI\xE2\x80\x8B\naccess_key_secret=\thush \xE3\x80\x80\n",
       "LTAI", "hush", ""},
      {R"({"access_key_id":"A1","access_key_secret":"hush","sts_token":"hush-t","mode":"StsToken"})", "A1",
       "hush", "hush-t"},
      {R"({"mode":"AK","access_key_id":"A1","access_key_secret":"hush","security_token":""})", "A1", "hush",
       ""},
      {R"( {"AccessKeyId":" A1 ","AccessKeySecret":"hush\n","SecurityToken":"hush-t","Code":"Success"})",
       "A1", "hush", "hush-t"},
      {"", "", "access_key_id is empty", ""},
      {"LTAI5t\nhush", "", "line 1 is not of the form name=value", ""},
      {"access_key_id=A1\nhush-key=hush", "", "line 2 has an unknown name", ""},
      {"access_key_id=A1\naccess_key_id=A2", "", "line 2 access_key_id is given twice", ""},
      {"access_key_id=\naccess_key_id=A2", "", "given twice", ""},
      {"access_key_id=A1", "", "access_key_secret is empty", ""},
      {"access_key_id=<A1>\naccess_key_secret=hush", "",
       "access_key_id holds a character that no key has, at byte 1", ""},
      {"access_key_id=A1\naccess_key_secret=hu sh", "",
       "access_key_secret holds a character that no key has, at byte 3", ""},
      {"access_key_id=A1\naccess_key_secret=hush\x01", "", "at byte 5", ""},
      {"access_key_id=A1\naccess_key_secret=hush\nsecurity_token=hu\xC3\xA4sh", "", "security_token holds",
       ""},
      {"access_key_id=A1\naccess_key_secret=" + std::string(257, 'x'), "", "longer than 256 bytes", ""},
      {"access_key_id=A1\naccess_key_secret=hush\nexpiration=tomorrow", "", "expiration is not a time", ""},
      {R"({"access_key_id":"A1")", "", "not a JSON object", ""},
      {R"({"access_key_id":1,"access_key_secret":"hush"})", "", "access_key_id is empty", ""},
      {R"({"AccessKeyId":"A1"})", "", "AccessKeySecret is empty", ""},
      {R"({"Code":"Failed","AccessKeyId":"A1","AccessKeySecret":"hush"})", "", "Code Failed", ""},
      {R"({"mode":"StsToken","access_key_id":"A1","access_key_secret":"hush"})", "", "there is no sts_token",
       ""},
      {std::string(100, '{'), "", "not a JSON object", ""},
      {R"({"a":)" + std::string(100000, '[') + std::string(100000, ']') + "}", "", "not a JSON object", ""},
  };
  for (const KeyCase& c : cases) {
    SCOPED_TRACE(c.text.substr(0, 80));
    const auto key = parse_key_text(c.text);
    ASSERT_EQ(key.has_value(), !c.id.empty()) << (key ? "" : key.error());
    if (key) {
      EXPECT_EQ(key->access_key_id, c.id);
      EXPECT_EQ(key->access_key_secret.reveal(), c.secret);
      EXPECT_EQ(key->security_token.reveal(), c.token);
    } else {
      EXPECT_THAT(key.error(), HasSubstr(c.secret));
      EXPECT_THAT(key.error(), Not(HasSubstr("hu")));
    }
  }
}

TEST(KeyText, KnowsWhenAKeyExpires) {
  const auto key = parse_key_text("access_key_id=A\naccess_key_secret=s\nexpiration=2027-01-31T12:00:00Z");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->expires, parse_rfc3339("2027-01-31T12:00:00Z"));
}

TEST(KeyFile, TellsMissingUnreadableOversizedAndLooseFilesApart) {
  testing::CredentialMachine machine;
  const std::string path = machine.write("key", "content");
  auto file = read_key_file(path, 7);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->text.reveal(), "content");
  EXPECT_EQ(file->warning, "");
  EXPECT_EQ(file->stamp, stamp_of(path));

  EXPECT_THAT(read_key_file(path, 6).error().what, HasSubstr("longer than 6 bytes"));
  EXPECT_THAT(read_key_file(machine.write("blank", " \n"), 10).error().what, HasSubstr("empty"));
  EXPECT_THAT(read_key_file(machine.home.path().string(), 10).error().what, HasSubstr("not a regular file"));
  EXPECT_FALSE(read_key_file(machine.home.path().string(), 10).error().missing);
  ASSERT_EQ(::mkfifo(machine.home.file("fifo").c_str(), 0600), 0);
  EXPECT_THAT(read_key_file(machine.home.file("fifo"), 10).error().what, HasSubstr("not a regular file"));
  const auto missing = read_key_file(machine.home.file("none"), 10);
  EXPECT_TRUE(missing.error().missing);
  EXPECT_EQ(missing.error().what, machine.home.file("none") + ": No such file or directory");
  EXPECT_TRUE(read_key_file(path + "/below-a-file", 10).error().missing);

  for (const auto& [mode, word] : std::map<mode_t, std::string>{{0600, ""},
                                                                {0400, ""},
                                                                {0640, ""},
                                                                {0440, ""},
                                                                {0644, "read by everybody (mode 0644)"},
                                                                {0660, "written by others"},
                                                                {0602, "written by others"}}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    file = read_key_file(path, 10);
    ASSERT_TRUE(file);
    EXPECT_EQ(file->warning.empty(), word.empty()) << std::oct << mode;
    EXPECT_THAT(file->warning, HasSubstr(word));
  }
}

TEST(KeyFile, StampsDifferAfterAnyChange) {
  testing::CredentialMachine machine;
  const std::string path = machine.write("key", "one");
  const FileStamp one = stamp_of(path);
  EXPECT_EQ(stamp_of(path), one);
  machine.write("key", "two");
  EXPECT_NE(stamp_of(path), one);
  std::filesystem::remove(path);
  EXPECT_NE(stamp_of(path), one);
  EXPECT_EQ(stamp_of(path), stamp_of(path));
}

}  // namespace
}  // namespace sharedrift
