// Where memory runs out while a configuration is read, nothing of it is taken.
#include "config/config_lint.hpp"
#include "config/config_loader.hpp"
#include "config_equality.hpp"

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

/// How many pieces of memory there are until one cannot be had; 0: all can.
std::size_t& pieces_left() {
  static std::size_t left = 0;
  return left;
}

}  // namespace

void* operator new(std::size_t size) {
  if (pieces_left() > 0 && --pieces_left() == 0) throw std::bad_alloc();
  if (void* piece = std::malloc(size)) return piece;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return std::malloc(size);
}
void operator delete(void* piece) noexcept {
  std::free(piece);
}
void operator delete(void* piece, std::size_t /*size*/) noexcept {
  std::free(piece);
}

namespace sharedrift {
namespace {

using ::testing::HasSubstr;

const std::vector<ConfigFile>& two_files() {
  static const std::vector<ConfigFile> files{
      {"a.yml",
       "profiles: {default: {}, apac: {}}\n"
       "groups: {partners: [\"5\", \"6\"]}\n"
       "images:\n"
       "  - {id: m-1, required: [\"2\"], allowed: [group:partners, \"2\"], exceptions:\n"
       "      [{account: \"3\", expires: 2027-03-31, owner: jane, ticket: SEC-12, reason: pilot}]}\n"},
      {"b.yml", "images: [{id: m-2, profile: apac, allowed: []}]\n"}};
  return files;
}

/// Calls `act(n)` with the n-th piece of memory lacking, for each n, until all that are needed can be had.
template <class Act>
void with_each_piece_lacking(Act act) {
  constexpr std::size_t kMost = 20'000;
  for (std::size_t nth = 1; nth < kMost; ++nth) {
    pieces_left() = nth;
    const bool all = !act() && pieces_left() > 0;
    pieces_left() = 0;
    if (all) return;
  }
  FAIL() << "it never had enough";
}

/// A line and a column, or none.
void expect_whole_places(const std::vector<Diagnostic>& told) {
  for (const Diagnostic& one : told)
    EXPECT_EQ(one.line > 0, one.column > 0) << to_string(one) << ", column " << one.column;
}

TEST(OutOfMemory, NoConfigurationIsHalfTaken) {
  const ConfigResult whole = parse_config(two_files());
  ASSERT_TRUE(whole) << told(whole);
  int refused = 0;
  with_each_piece_lacking([&] {
    const ConfigResult read = parse_config(two_files());
    const std::size_t left = std::exchange(pieces_left(), 0);
    if (read) {
      expect_same(*whole, *read, "with less memory");
    } else {
      ++refused;
      EXPECT_THAT(told(read), HasSubstr("bad_alloc"));
      expect_whole_places(read.error());
    }
    pieces_left() = left;
    return !read;
  });
  EXPECT_GT(refused, 100);
}

TEST(OutOfMemory, NoLintIsSilentAboutIt) {
  const LintReport whole = lint_config(two_files(), WallTime{});
  ASSERT_TRUE(whole.errors.empty());
  ASSERT_FALSE(whole.warnings.empty());
  with_each_piece_lacking([&] {
    const LintReport report = lint_config(two_files(), WallTime{});
    const std::size_t left = std::exchange(pieces_left(), 0);
    const std::string said = to_lines(report.errors) + to_lines(report.warnings);
    EXPECT_TRUE(said == to_lines(whole.warnings) || said.find("bad_alloc") != std::string::npos) << said;
    expect_whole_places(report.errors);
    expect_whole_places(report.warnings);
    pieces_left() = left;
    return !report.errors.empty();
  });
}

}  // namespace
}  // namespace sharedrift
