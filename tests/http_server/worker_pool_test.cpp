#include "http_server/worker_pool.hpp"

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;

/// Both ends of a connection; ours is closed at the end, the other belongs to the pool.
struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours = ends[0];
    theirs = ends[1];
  }
  ~Pair() { ::close(ours); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  [[nodiscard]] bool was_closed() const {
    pollfd state{ours, POLLIN, 0};
    return ::poll(&state, 1, 0) == 1 && (state.revents & POLLHUP) != 0;
  }
  int ours = -1;
  int theirs = -1;
};

/// A pool of one worker, which serves when it is told to.
class HeldPool {
 public:
  /// Returns when the worker has it.
  void begin(int fd) {
    pool.enqueue(fd);
    while (pool.is_crowded())
      std::this_thread::yield();
  }
  /// Lets the worker serve, so that it takes up another. Returns what was served; -1 if that takes too long.
  int serve_one() {
    std::unique_lock lock(mutex_);
    ++allowed_;
    changed_.notify_all();
    const std::size_t before = seen_++;
    if (!changed_.wait_for(lock, 5s, [&] { return served_.size() > before; })) return -1;
    return served_[before];
  }
  /// Serves all that are left.
  void let_go() {
    const std::scoped_lock lock(mutex_);
    allowed_ = 1000;
    changed_.notify_all();
  }

 private:
  void serve(int fd) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return served_.size() < allowed_; });
    ::close(fd);
    served_.push_back(fd);
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t allowed_ = 0;
  std::size_t seen_ = 0;
  std::vector<int> served_;

 public:
  WorkerPool pool{1, [this](int fd) { serve(fd); }, [] {}};
};

TEST(WorkerPool, WhoHasSentSomethingIsServedBeforeTheSilentNewestAndOldestInTurn) {
  HeldPool held;
  const Pair first;
  held.begin(first.theirs);  // the newest, then, of one
  std::array<Pair, 4> waiting;
  for (const Pair& pair : waiting)
    held.pool.enqueue(pair.theirs);
  for (const std::size_t spoken : {1U, 2U, 3U})
    ASSERT_EQ(::send(waiting.at(spoken).ours, "x", 1, 0), 1);
  for (const int expected :
       {first.theirs, waiting[1].theirs, waiting[3].theirs, waiting[2].theirs, waiting[0].theirs}) {
    EXPECT_EQ(held.serve_one(), expected);
  }
}

TEST(WorkerPool, TooManyThatWaitCostTheOldestSilentOnes) {
  HeldPool held;
  const Pair first;
  held.begin(first.theirs);
  std::array<Pair, 7> waiting;
  ASSERT_EQ(::send(waiting[0].ours, "x", 1, 0), 1);
  for (const Pair& pair : waiting)
    held.pool.enqueue(pair.theirs);
  EXPECT_FALSE(waiting[0].was_closed()) << "it has sent something";
  for (std::size_t i = 1; i < 4; ++i)
    EXPECT_TRUE(waiting.at(i).was_closed()) << i;
  for (std::size_t i = 4; i < 7; ++i)
    EXPECT_FALSE(waiting.at(i).was_closed()) << i;
  held.let_go();
}

TEST(WorkerPool, WhoIsNotNeededAnyMoreEnds) {
  std::mutex gate;
  WorkerPool pool(
      8,
      [&gate](int fd) {
        const std::scoped_lock wait(gate);
        ::close(fd);
      },
      [] {}, 20ms);
  for (int storm = 0; storm < 3; ++storm) {
    std::array<Pair, 8> storming;
    {
      const std::scoped_lock hold(gate);
      for (const Pair& pair : storming)
        pool.enqueue(pair.theirs);
      EXPECT_EQ(pool.workers(), 8U);
    }
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (pool.workers() > 2 && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(1ms);
    EXPECT_EQ(pool.workers(), 2U);
    for (const Pair& pair : storming)
      EXPECT_TRUE(pair.was_closed());
  }
}

}  // namespace
}  // namespace sharedrift
