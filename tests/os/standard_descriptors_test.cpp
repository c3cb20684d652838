#include "os/process.hpp"

#include <cerrno>
#include <functional>
#include <initializer_list>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sharedrift {
namespace {

/// What `act` returns in a process of its own, without the descriptors `closed`; -1 if it does not end by
/// itself.
int in_a_child(std::initializer_list<int> closed, const std::function<int()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int fd : closed)
      ::close(fd);
    ::_exit(act());
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(StandardDescriptors, WhatIsOpenedLaterBecomesNoneOfThem) {
  EXPECT_EQ(in_a_child({0, 1, 2},
                       [] {
                         const bool taken = take_standard_descriptors();
                         return taken && ::open("/dev/zero", O_RDWR | O_CLOEXEC) > 2 ? 0 : 1;
                       }),
            0);
  EXPECT_EQ(in_a_child({2},
                       [] {
                         const bool taken = take_standard_descriptors();
                         return taken && ::open("/dev/zero", O_RDWR | O_CLOEXEC) > 2 ? 0 : 1;
                       }),
            0);
}

TEST(StandardDescriptors, ReadingAndWritingStillFail) {
  EXPECT_EQ(in_a_child({0, 1, 2},
                       [] {
                         char byte = 'x';
                         return take_standard_descriptors() && ::read(0, &byte, 1) == -1 && errno == EBADF &&
                                        ::write(1, &byte, 1) == -1 && errno == EBADF &&
                                        ::write(2, &byte, 1) == -1 && errno == EBADF
                                    ? 0
                                    : 1;
                       }),
            0);
}

TEST(StandardDescriptors, WhatIsOpenStaysAsItIs) {
  EXPECT_EQ(in_a_child({},
                       [] {
                         const int before = ::fcntl(2, F_GETFL);
                         return take_standard_descriptors() && ::fcntl(2, F_GETFL) == before ? 0 : 1;
                       }),
            0);
}

}  // namespace
}  // namespace sharedrift
