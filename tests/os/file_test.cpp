#include "os/file.hpp"

#include "os/descriptor.hpp"

#include <array>
#include <cerrno>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

namespace sharedrift {
namespace {

Result<std::string, int> read_pipe(const std::string& text, std::size_t max_bytes) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const Descriptor output(ends[0]);
  Descriptor input(ends[1]);
  EXPECT_EQ(::write(input.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  input.reset();
  return read_to_end(output.get(), max_bytes);
}

TEST(File, IsReadToItsEndWhateverItsSizeSaid) {
  // A pipe says that it is empty, as a file does that grows after it was opened.
  const std::string text(5000, 'x');
  EXPECT_EQ(read_pipe(text, 5000).value_or("?"), text);
  EXPECT_EQ(read_pipe(text, 1U << 20U).value_or("?"), text);
  EXPECT_EQ(read_pipe("", 10).value_or("?"), "");
  ASSERT_FALSE(read_pipe(text, 4999));
  EXPECT_EQ(read_pipe(text, 4999).error(), EFBIG);
}

TEST(File, ThatIsADirectoryIsNotRead) {
  const Descriptor directory(open_to_read("/"));
  ASSERT_GE(directory.get(), 0);
  EXPECT_EQ(read_to_end(directory.get(), 10).error(), EISDIR);
}

}  // namespace
}  // namespace sharedrift
