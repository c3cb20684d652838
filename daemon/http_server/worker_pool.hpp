#pragma once

#include "core/time.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace sharedrift {

/// Threads that serve connections. They are made when they are needed and end when they are not: a quiet
/// server has one or two, and what a storm took (stacks, and what malloc keeps for each thread) is given
/// back. Thread-safe.
///
/// Who has sent something goes before the silent: in a flood the kernel hands over connections that say
/// nothing. Of those who have, the oldest and the newest are served in turn: first come, first served starves
/// whoever comes after many that hold their workers, last come, first served whoever is followed by many.
class WorkerPool {
 public:
  /// `serve` is called on a worker with what was handed to enqueue(); it must not throw. `make_room` is
  /// called when something waits and there can be no other worker.
  /// Workers end when fewer than there are were busy at a time for `linger`, but for two.
  WorkerPool(int most, std::function<void(int)> serve, std::function<void()> make_room,
             Millis linger = Millis{5'000});
  /// As shutdown().
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Takes over `fd`. When too many wait, the one with the least claim is closed unserved: the oldest that is
  /// silent.
  void enqueue(int fd);
  /// More waits than there are idle workers.
  [[nodiscard]] bool is_crowded() const;
  [[nodiscard]] std::size_t workers() const;
  /// Serves what waits, and ends the threads. Idempotent; enqueue() must not follow.
  void shutdown();

 private:
  static constexpr std::size_t kWaitingPerWorker = 4;
  static constexpr std::size_t kKept = 2;
  enum class Pick { oldest, newest, silent };
  [[nodiscard]] int take(Pick pick);
  void work();
  [[nodiscard]] bool add_worker();
  [[nodiscard]] bool retire();
  void note_use();

  const std::size_t most_;
  const std::function<void(int)> serve_;
  const std::function<void()> make_room_;
  const Millis linger_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<int> waiting_;  ///< guarded by mutex_, as what follows
  std::size_t idle_ = 0;
  std::size_t peak_ = 0;         ///< most workers busy at a time since peak_since_
  std::size_t peak_before_ = 0;  ///< the same in the time before that
  MonoTime peak_since_;
  bool newest_next_ = true;
  bool ending_ = false;
  std::list<std::jthread> threads_;
  std::list<std::jthread> retired_;  ///< ended, or about to; not joined yet
};

}  // namespace sharedrift
