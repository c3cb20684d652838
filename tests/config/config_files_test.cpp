// Several files that are one configuration, and which of them are trusted.

#include "config/config_files.hpp"

#include "config/config_loader.hpp"
#include "support/temp_dir.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {

namespace {

using ::testing::ElementsAre;

const std::string kSmallest = "images:\n  - id: m-1\n    allowed: [\"1715107400000001\"]\n";

std::string joined(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  for (const Diagnostic& d : diagnostics)
    out += to_string(d) + "\n";
  return out;
}

void write(const std::string& file, const std::string& text, mode_t mode = 0600) {
  std::ofstream(file, std::ios::binary) << text;
  ASSERT_EQ(::chmod(file.c_str(), mode), 0);
}

/// What is wrong with reading these, or what others can change, or "good".
std::string verdict(const std::vector<std::string>& paths) {
  const auto read = read_config_files(paths);
  if (!read) return joined(read.error());
  return read->untrusted.empty() ? "good" : joined(read->untrusted);
}
std::string warning(const std::string& path) {
  return path + ": warning: can be changed by others than its owner (chmod go-w " + path + ")\n";
}

Config accepted(const std::vector<ConfigFile>& files) {
  ConfigResult config = parse_config(files);
  EXPECT_TRUE(config) << joined(config.error());
  return config ? *config : Config{};
}
std::string refused(const std::vector<ConfigFile>& files) {
  const ConfigResult config = parse_config(files);
  return config ? "accepted" : joined(config.error());
}

}  // namespace

TEST(ConfigFiles, AFileThatOthersCanWriteIsNoted) {
  const testing::TempDir dir;
  const std::string file = dir.file("config.yml");
  write(file, kSmallest, 0640);
  EXPECT_EQ(verdict({file}), "good");
  std::filesystem::create_symlink(file, dir.file("link.yml"));
  EXPECT_EQ(verdict({dir.file("link.yml")}), "good");
  for (const mode_t mode : {0660U, 0606U, 0666U, 0642U}) {
    write(file, kSmallest, mode);
    EXPECT_EQ(verdict({file}), warning(file));
    EXPECT_FALSE(read_trusted_file(file)) << "a file that holds a key";
  }
}

TEST(ConfigFiles, NothingButFilesAndDirectoriesIsRead) {
  const testing::TempDir dir;
  const std::string fifo = dir.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(verdict({fifo, dir.file("none")}), fifo + ": is not a regular file\n" + dir.file("none") +
                                                   ": cannot be opened: No such file or directory\n");
  EXPECT_FALSE(read_trusted_file(dir.path()));
}

TEST(ConfigFiles, ADirectoryStandsForItsFilesByName) {
  const testing::TempDir dir;
  const std::string folder = dir.file("conf.d");
  std::filesystem::create_directory(folder);
  EXPECT_EQ(verdict({folder}), folder + ": holds no file whose name ends in .yml\n");
  for (const char* name : {"b.yml", "10.yml", "a.yml", ".hidden.yml", "a.yml~", "notes.txt"})
    write(folder + "/" + name, name);
  write(dir.file("base.yml"), "base");
  const auto read = read_config_files({dir.file("base.yml"), folder});
  ASSERT_TRUE(read);
  std::vector<std::string> texts;
  for (const ConfigFile& file : read->files)
    texts.push_back(file.text);
  EXPECT_THAT(texts, ElementsAre("base", "10.yml", "a.yml", "b.yml"));
  EXPECT_EQ(read->files[1].name, folder + "/10.yml");
  EXPECT_TRUE(read->untrusted.empty());

  ASSERT_EQ(::chmod(folder.c_str(), 0770), 0);
  ASSERT_EQ(::chmod((folder + "/b.yml").c_str(), 0606), 0);
  EXPECT_EQ(verdict({folder}), warning(folder) + warning(folder + "/b.yml"))
      << "who can add a file can allow";
  std::filesystem::create_directory(folder + "/c.yml");
  EXPECT_EQ(verdict({folder}), folder + "/c.yml: is not a regular file\n");
}

TEST(ConfigFiles, AConfigMapIsADirectoryOfLinks) {
  const testing::TempDir dir;
  std::filesystem::create_directories(dir.file("..2026"));
  write(dir.file("..2026/team.yml"), kSmallest);
  std::filesystem::create_directory_symlink("..2026", dir.file("..data"));
  std::filesystem::create_symlink("..data/team.yml", dir.file("team.yml"));
  const auto read = read_config_files({dir.path()});
  ASSERT_TRUE(read) << joined(read.error());
  ASSERT_EQ(read->files.size(), 1U);
  EXPECT_EQ(read->files[0].text, kSmallest);
}

TEST(ConfigFiles, TheHashOfOneFileIsThatOfItsBytesAndOfSeveralWhatSha256sumPrints) {
  EXPECT_EQ(hash_of({{"a.yml", "a\n"}}), "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7");
  // printf 'a\n' > a.yml; printf 'b\n' > b.yml; sha256sum a.yml b.yml | sha256sum
  EXPECT_EQ(hash_of({{"a.yml", "a\n"}, {"b.yml", "b\n"}}),
            "8f7cbb167fc6fae797cea1209a3c9d60e26cac97649ccbc640e58b2f331296d9");
}

TEST(ConfigFiles, TeamsHaveFilesOfTheirOwn) {
  const Config config =
      accepted({{"00-base.yml",
                 "profiles: {apac: {}}\npoll: {interval: 10m}\ninventory: {interval: 1h}\n"
                 "groups: {partners: [\"2\"]}\naccounts: {\"2\": {name: north}}\n"},
                {"edge.yml",
                 "defaults: {team: edge, severity: page, interval: 1m}\naccounts: {\"3\": {name: lab}}\n"
                 "images: [{id: m-1, profile: apac, allowed: [group:partners, group:labs]}]\n"
                 "discover: [{name: \"edge-*\", allowed: [group:partners]}]\n"},
                {"lab.yml",
                 "defaults: {team: lab}\ngroups: {labs: [\"3\"]}\n"
                 "images: [{id: m-2, profile: apac, allowed: []}, {id: m-3, profile: apac, allowed: []}]\n"
                 "discover: [{allowed: []}]\nignore: [{id: m-4, owner: jane, reason: demo}]\n"}});
  ASSERT_EQ(config.images.size(), 3U);
  EXPECT_EQ(config.images[0]->team + config.images[0]->severity, "edgepage");
  EXPECT_EQ(config.images[0]->interval, Millis{60'000});
  EXPECT_EQ(config.images[0]->allowed.size(), 2U) << "groups hold for all files";
  EXPECT_EQ(config.images[1]->team + config.images[1]->severity, "lab") << "defaults hold for one file";
  EXPECT_EQ(config.images[1]->interval, Millis{600'000}) << "poll holds for all files";
  ASSERT_EQ(config.discover.size(), 2U);
  EXPECT_EQ(config.discover[0].policy.team + " " + config.discover[1].policy.team, "edge lab");
  EXPECT_EQ(config.account_names.size(), 2U);
  EXPECT_EQ(config.ignored.size(), 1U);
  EXPECT_EQ(config.inventory.interval, Millis{3'600'000});
  ASSERT_EQ(config.files.size(), 3U);
  EXPECT_EQ(config.files[2].file, "lab.yml");
  EXPECT_EQ(config.files[0].images + 10 * config.files[1].images + 100 * config.files[2].images, 210U);
}

TEST(ConfigFiles, EveryFaultNamesItsFileAndWhatStandsTwiceBothPlaces) {
  const std::string base =
      "profiles: {default: {}}\npoll: {}\ninventory: off\ngroups: {g: [\"1\"]}\naccounts: {\"1\": {name: "
      "a}}\n"
      "images:\n  - {id: m-1, allowed: []}\nignore:\n  - {id: m-2, owner: o, reason: r}\n";
  EXPECT_EQ(
      refused({{"base.yml", base},
               {"team.yml",
                "profiles: {}\npoll: {}\ninventory: {}\ngroups: {g: []}\naccounts: {\"1\": {name: b}}\n"
                "images:\n  - {id: m-1, allowed: [group:h]}\n  - {id: m-2, allowed: []}\n"
                "ignore:\n  - {id: m-2, owner: o, reason: r}\n"}}),
      "base.yml:9:10: ignore[0].id: image \"m-2\" is watched: it is in images as well (see line 8 of "
      "team.yml)\n"
      "team.yml:1:1: profiles: stands in one file of a configuration alone (first on line 1 of base.yml)\n"
      "team.yml:2:1: poll: stands in one file of a configuration alone (first on line 2 of base.yml)\n"
      "team.yml:3:1: inventory: stands in one file of a configuration alone (first on line 3 of base.yml)\n"
      "team.yml:4:10: groups.g: group \"g\" is defined already (first on line 4 of base.yml)\n"
      "team.yml:5:12: accounts.1: account \"1\" is in the address book already (first on line 5 of "
      "base.yml)\n"
      "team.yml:7:10: images[0].id: image \"m-1\" is in the list already (first on line 7 of base.yml)\n"
      "team.yml:7:25: images[0].allowed[0]: there is no group \"h\"\n"
      "team.yml:10:10: ignore[0].id: image \"m-2\" is in the list already (first on line 9 of base.yml)\n");
}

TEST(ConfigFiles, ThousandsOfMisspeltGroupsAreNotEachHeldAgainstThousands) {
  std::string text = "groups:\n";
  std::string images = "images:\n";
  for (int n = 1'000; n < 1'100; ++n) {
    text += "  groupnumber" + std::to_string(n) + ": []\n";
    images += "  - {id: m-" + std::to_string(n) + ", allowed: [group:grupnumber" + std::to_string(n) + "]}\n";
  }
  const std::string told = refused({{"config.yml", text + images}});
  const auto count = [&told](std::string_view words) {
    std::size_t found = 0;
    for (std::size_t at = told.find(words); at != told.npos; at = told.find(words, at + 1))
      ++found;
    return found;
  };
  EXPECT_EQ(count("there is no group"), 100U);
  EXPECT_EQ(count("did you mean"), 20U);
}

TEST(ConfigFiles, ABrokenFileCallsNothingOfTheOthersUnknown) {
  EXPECT_EQ(
      refused({{"base.yml", ""}, {"team.yml", "images: [{id: m-1, profile: apac, allowed: [group:g]}]\n"}}),
      "base.yml: is empty (the smallest useful file names one image)\n");
}

TEST(ConfigFiles, OneOfThemMustWatchSomething) {
  const ConfigFile base{"base.yml", "poll: {interval: 1m}\n"};
  EXPECT_EQ(refused({base, {"team.yml", "defaults: {team: a}\n"}}),
            "base.yml:1:1: the key \"images\" is missing (`share-drift-exporter baseline --all` writes it: "
            "every image "
            "that the account owns)\n");
  EXPECT_EQ(refused({base, {"team.yml", "images: []\n"}}),
            "team.yml:1:9: images: names no image (a monitor that watches nothing is never meant)\n");
  EXPECT_EQ(refused({{"off.yml", "inventory: off\n"}, {"team.yml", "discover: [{allowed: []}]\n"}}),
            "team.yml:1:1: discover: needs the inventory, which is off (take `inventory: off` out)\n");
  EXPECT_EQ(accepted({base, {"team.yml", "images: []\n"}, {"c.yml", "discover: [{allowed: []}]\n"}})
                .discover.size(),
            1U);
}

TEST(ConfigFiles, SoIsWhatLeadsToOneAndWhoseItIs) {
  constexpr uid_t kSomebody = 12345;
  const testing::TempDir dir;
  const std::string folder = dir.file("folder");
  const std::string file = folder + "/config.yml";
  const std::string link = dir.file("link.yml");
  std::filesystem::create_directory(folder);
  write(file, kSmallest);
  std::filesystem::create_symlink(file, link);
  EXPECT_EQ(verdict({link}), "good") << "as Kubernetes mounts it";
  ASSERT_EQ(::chmod(folder.c_str(), 0777), 0);
  const std::string hint = " (only root and the daemon's user may own what leads to it, and write there)\n";
  EXPECT_EQ(verdict({file}),
            file + ": warning: " + folder + " can be changed by others than its owner" + hint);
  EXPECT_EQ(verdict({link, file}),
            link + ": warning: " + folder + " can be changed by others than its owner" + hint)
      << "once";
  EXPECT_FALSE(read_trusted_file(link));
  ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
  EXPECT_TRUE(read_trusted_file(link));
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  ASSERT_EQ(::chown(file.c_str(), kSomebody, 0), 0);
  EXPECT_EQ(verdict({file}), file + ": warning: " + file + " belongs to another user" + hint);
}

TEST(PlaceOf, IsTheDeepestOfTheKeysThatIsThere) {
  const std::vector<ConfigFile> files{
      {"a.yml", "images: []\nprofiles:\n  default:\n    ca_file: /ca\n"},
      {"b.yml", "profiles:\n  other: {credentials: {source: static_file,\n    file: /key}}\n"}};
  const auto place = [&files](const std::vector<std::string_view>& keys) {
    const Diagnostic found = place_of(files, keys);
    return found.file + ":" + std::to_string(found.line) + " " + found.path;
  };
  EXPECT_EQ(place({"profiles", "default", "ca_file"}), "a.yml:4 profiles.default.ca_file");
  EXPECT_EQ(place({"profiles", "other", "credentials", "file"}), "b.yml:3 profiles.other.credentials.file");
  EXPECT_EQ(place({"profiles", "other", "credentials", "uri"}), "b.yml:2 profiles.other.credentials");
  EXPECT_EQ(place({"profiles", "third", "ca_file"}), "a.yml:3 profiles") << "as near as there is";
  EXPECT_EQ(place({"poll", "interval"}), "a.yml:0 ");
}

TEST(PlaceOf, ReadsNoFurtherThanItMust) {
  const std::string begin =
      "inventory: {profiles: 1}\nprofiles:\n  default:\n    credentials: {}\n    ca_file: /ca\n";
  const std::vector<std::string_view> keys{"profiles", "default", "ca_file"};
  const Diagnostic found = place_of({{"a.yml", begin + "images: [what was not looked at"}}, keys);
  EXPECT_EQ(found.line, 5);
  EXPECT_EQ(found.path, "profiles.default.ca_file");
}

}  // namespace sharedrift
