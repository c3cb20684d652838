#include "web/web_security.hpp"

#include "support/fakes.hpp"
#include "support/temp_dir.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace sharedrift {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

// bcrypt of "right" at cost 4, the cheapest.
const std::string kHash = "$2y$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC";

std::string basic(const std::string& base64) {
  return "Basic " + base64;
}

ServerRequest with(const std::string& authorization, Lane lane = Lane::password) {
  ServerRequest request;
  request.method = "GET";
  request.path = "/metrics";
  if (!authorization.empty()) request.headers = {{"authorization", authorization}};
  request.lane = lane;
  return request;
}

class WebSecurityTest : public ::testing::Test {
 protected:
  void write(const std::string& text) const {
    const std::string file = directory.file("web.yml");
    std::ofstream(file, std::ios::trunc) << text;
    std::filesystem::permissions(file,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  std::unique_ptr<WebSecurity> open() {
    auto door = WebSecurity::open(directory.file("web.yml"), clock,
                                  [this](const auto& faults) { reports.push_back(faults); });
    if (!door) throw std::runtime_error(to_string(door.error().front()));
    return std::move(*door);
  }
  int status(WebSecurity& door, const std::string& authorization = "") {
    const auto refusal = door.refuse(with(authorization));
    return refusal ? refusal->status : 200;
  }

  testing::TempDir directory;
  testing::ManualClock clock{WallTime{Millis{0}}};  // long before the files: they always count as fresh
  std::vector<std::vector<Diagnostic>> reports;
};

TEST_F(WebSecurityTest, LetsInWhoKnowsThePassword) {
  write("basic_auth_users: {prom: " + kHash + "}\n");
  const auto door = open();
  EXPECT_EQ(status(*door), 401);
  EXPECT_EQ(status(*door, basic("cHJvbTpyaWdodA==")), 200);  // prom:right
  EXPECT_EQ(status(*door, basic("cHJvbTpyaWdodA")), 200);    // without padding
  EXPECT_EQ(status(*door, "bASIC   cHJvbTpyaWdodA=="), 200);
  EXPECT_EQ(status(*door, basic("cHJvbTp3cm9uZw==")), 401);  // prom:wrong
  EXPECT_EQ(status(*door, basic("bm9ib2R5OnJpZ2h0")), 401);  // nobody:right
  EXPECT_EQ(status(*door, basic("cHJvbTpyaWdodAB4")), 401);  // prom:right\0x
  EXPECT_EQ(status(*door, basic("cHJvbQ==")), 401);          // no colon
  EXPECT_EQ(status(*door, basic("cHJvb!pyaWdodA==")), 401);
  EXPECT_EQ(status(*door, "Bearer cHJvbTpyaWdodA=="), 401);
  EXPECT_EQ(status(*door, "Basic"), 401);
  const auto refusal = door->refuse(with(""));
  EXPECT_THAT(refusal->headers, ::testing::Contains(Pair("WWW-Authenticate", HasSubstr("Basic realm="))));
}

TEST_F(WebSecurityTest, NoUsersNoQuestions) {
  write("{}\n");
  const auto door = open();
  EXPECT_EQ(status(*door), 200);
  EXPECT_FALSE(door->has_tls());
  EXPECT_EQ(door->tls_context(), nullptr);
}

TEST_F(WebSecurityTest, NoMoreRequestsThanTheRateAllows) {
  write("rate_limit: {interval: 1s, burst: 3}\n");
  const auto door = open();
  const auto passes = [&](Lane lane) { return !door->refuse(with("", lane)); };
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(passes(Lane::quick)) << i;
  EXPECT_EQ(door->refuse(with("", Lane::quick))->status, 429);
  EXPECT_TRUE(passes(Lane::slow)) << "it was counted when it came";
  clock.advance(Millis{1'000});
  EXPECT_TRUE(passes(Lane::quick));
  EXPECT_FALSE(passes(Lane::quick));
  clock.advance(std::chrono::hours{1});
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(passes(Lane::quick)) << i;
  EXPECT_FALSE(passes(Lane::quick)) << "a long rest gives no more than the burst";
  write("{}\n");
  clock.advance(Millis{1'000});
  for (int i = 0; i < 9; ++i)
    EXPECT_TRUE(passes(Lane::quick)) << i;
}

TEST_F(WebSecurityTest, StrangersUseUpNoRateOfUsers) {
  write("basic_auth_users: {prom: " + kHash + "}\nrate_limit: {interval: 1s, burst: 3}\n");
  const auto door = open();
  const std::string right = basic("cHJvbTpyaWdodA==");
  const auto answer = [&](const std::string& header, Lane lane) {
    const auto refusal = door->refuse(with(header, lane));
    return refusal ? refusal->status : 200;
  };
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(answer("", Lane::quick), 401);
  EXPECT_EQ(answer(basic("cHJvbTp3cm9uZw=="), Lane::password), 401);
  EXPECT_EQ(answer(right, Lane::password), 200) << "the first log-in counts";
  EXPECT_EQ(answer(right, Lane::large), 200) << "and is not counted twice";
  EXPECT_EQ(answer(right, Lane::quick), 200);
  EXPECT_EQ(answer(right, Lane::quick), 200);
  EXPECT_EQ(answer(right, Lane::quick), 429);
}

TEST_F(WebSecurityTest, AChangedFileIsInForceAtOnce) {
  write("basic_auth_users: {prom: " + kHash + "}\n");
  const auto door = open();
  EXPECT_EQ(status(*door, basic("cHJvbTpyaWdodA==")), 200);
  write("basic_auth_users: {grafana: " + kHash +
        "}\nhttp_server_config: {headers: {X-Frame-Options: deny}}\n");
  EXPECT_EQ(status(*door, basic("cHJvbTpyaWdodA==")), 401) << "though it was verified before";
  EXPECT_EQ(status(*door, basic("Z3JhZmFuYTpyaWdodA==")), 200);
  EXPECT_THAT(door->headers(), ::testing::ElementsAre(Pair("X-Frame-Options", "deny")));
  EXPECT_THAT(reports, IsEmpty());
}

TEST_F(WebSecurityTest, ChangesShowAlsoOnceTheFilesHaveSettled) {
  clock.advance(std::chrono::hours{24 * 365 * 200});  // long after the files
  write("basic_auth_users: {prom: " + kHash + "}\n");
  const auto door = open();
  EXPECT_EQ(status(*door), 401);
  write("{}\n");
  EXPECT_EQ(status(*door), 200);
}

TEST_F(WebSecurityTest, ABrokenFileClosesTheDoorUntilItIsMended) {
  write("basic_auth_users: {prom: " + kHash + "}\n");
  const auto door = open();
  for (const char* broken :
       {"", "basic_auth_users: {", "basic_auth_usres: {}\n", "basic_auth_users: {prom: plain}\n"}) {
    write(broken);
    EXPECT_EQ(status(*door), 500) << broken;
    EXPECT_EQ(status(*door, basic("cHJvbTpyaWdodA==")), 500) << broken;
  }
  std::filesystem::remove(directory.file("web.yml"));
  EXPECT_EQ(status(*door, basic("cHJvbTpyaWdodA==")), 500);
  EXPECT_THAT(door->headers(), IsEmpty());
  const std::size_t told = reports.size();
  EXPECT_EQ(status(*door), 500);
  EXPECT_THAT(reports, SizeIs(told)) << "each fault is told once";
  write("basic_auth_users: {prom: " + kHash + "}\n");
  EXPECT_EQ(status(*door, basic("cHJvbTpyaWdodA==")), 200);
  EXPECT_THAT(reports.back(), IsEmpty()) << "good again";
}

TEST_F(WebSecurityTest, TlsThatAppearsOrVanishesNeedsARestart) {
  write("{}\n");
  const auto door = open();
  write("tls_server_config: {cert_file: a.crt, key_file: a.key}\n");
  EXPECT_EQ(status(*door), 500) << "it must not go on in the clear";
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_THAT(to_string(reports[0].front()), HasSubstr("restart"));
}

TEST_F(WebSecurityTest, ABadFileIsAnErrorAtTheStart) {
  write("basic_auth_users: {prom: secret-in-the-clear}\n");
  const auto bad = WebSecurity::open(directory.file("web.yml"), clock, nullptr);
  ASSERT_FALSE(bad);
  EXPECT_EQ(to_string(bad.error().front()).find("secret-in-the-clear"), std::string::npos);
  write("tls_server_config: {cert_file: none.crt, key_file: none.key}\n");
  const auto missing = WebSecurity::open(directory.file("web.yml"), clock, nullptr);
  ASSERT_FALSE(missing);
  EXPECT_THAT(to_string(missing.error().front()), HasSubstr("none.crt"));
}

TEST_F(WebSecurityTest, TakesOnlyWhatNobodyElseCanWrite) {
  const std::string file = directory.file("web.yml");
  write("{}\n");
  ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
  EXPECT_TRUE(WebSecurity::open(file, clock, nullptr));
  ASSERT_EQ(::chmod(file.c_str(), 0664), 0);
  const auto refused = WebSecurity::open(file, clock, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(to_lines(refused.error()),
            file + ": can be changed by others than its owner (chmod go-w " + file + ")\n");
}

TEST_F(WebSecurityTest, APipeInThePlaceOfACertificateIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(directory.file("pipe").c_str(), 0600), 0);
  write("tls_server_config: {cert_file: pipe, key_file: none.key}\n");
  const auto refused = WebSecurity::open(directory.file("web.yml"), clock, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_THAT(to_string(refused.error().front()), HasSubstr("is not a regular file"));
}

TEST(PasswordCheck, RemembersOnlyWhatWasRight) {
  PasswordCheck check;
  const std::string expensive = "$2y$10$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC";
  using enum PasswordCheck::Verdict;
  EXPECT_EQ(check.check("prom", Secret("right"), kHash, expensive), right);
  EXPECT_EQ(check.check("prom", Secret("right"), kHash, expensive), right);
  EXPECT_EQ(check.check("prom", Secret("wrong"), kHash, expensive), wrong);
  EXPECT_EQ(check.check("prom", Secret("right"), std::string("*0"), expensive), wrong);
  EXPECT_EQ(check.check("other", Secret("right"), std::nullopt, kHash), wrong) << "the decoy's own password";
  for (std::size_t i = 0; i < 2 * PasswordCheck::kMostKept; ++i)
    EXPECT_EQ(check.check("user" + std::to_string(i), Secret("right"), kHash, kHash), right);
  EXPECT_EQ(check.check("prom", Secret("right"), kHash, expensive), right);
}

TEST(PasswordCheck, SaysThatItDoesNotKnowWhereItMayNotTakeLong) {
  PasswordCheck check;
  using enum PasswordCheck::Verdict;
  EXPECT_EQ(check.check("prom", Secret("right"), kHash, kHash, false), unknown);
  EXPECT_EQ(check.check("prom", Secret("right"), kHash, kHash), right);
  EXPECT_EQ(check.check("prom", Secret("right"), kHash, kHash, false), right);
  EXPECT_EQ(check.check("prom", Secret("wrong"), kHash, kHash, false), unknown);
}

/// CPU seconds of this thread, in which `wrong` is found to be wrong.
double work_of(PasswordCheck& check, const std::optional<std::string>& hash, const std::string& decoy) {
  const auto now = [] {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
  };
  const double begun = now();
  EXPECT_EQ(check.check("prom", Secret("wrong"), hash, decoy), PasswordCheck::Verdict::wrong);
  return now() - begun;
}

TEST(PasswordCheck, TimeDoesNotTellWhoIsAUser) {
  PasswordCheck check;
  const std::string dear =
      "$2y$09$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC";  // 32 times kHash's work
  const double unknown = work_of(check, std::nullopt, dear);
  EXPECT_NEAR(work_of(check, kHash, dear), unknown, unknown / 2);
  EXPECT_NEAR(work_of(check, dear, dear), unknown, unknown / 2);
}

/// The twin remembers nothing: it knows which hash is of which password.
TEST(PasswordCheck, AgreesWithItsSlowTwinWhateverWasAskedBefore) {
  const std::string other = "$2y$04$abcdefghijklmnopqrstuu0HtfOlPbTiymk5tcV.3TsFPDd3SYZqu";
  const std::vector<std::pair<std::optional<std::string>, std::string>> hashes{
      {kHash, "right"}, {other, "other"}, {std::nullopt, ""}, {std::string("*0"), ""}};
  testing::SeededRandom random(19);
  PasswordCheck check;
  for (int round = 0; round < 300; ++round) {
    const auto& [hash, password_of_it] = hashes.at(random.next() % hashes.size());
    const std::string user = random.next() % 2 == 0 ? "prom" : "ops";
    const std::string password = random.next() % 2 == 0 ? "right" : "other";
    const auto expected =
        password == password_of_it ? PasswordCheck::Verdict::right : PasswordCheck::Verdict::wrong;
    ASSERT_EQ(check.check(user, Secret(password), hash, kHash), expected) << "round " << round;
  }
}

}  // namespace
}  // namespace sharedrift
