#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace sharedrift {

/// Threads that serve connections. They are made when they are first needed: a quiet server has one or two,
/// and a unit's limit on tasks is met only in a storm. Thread-safe.
///
/// Who has sent something goes before the silent: in a flood the kernel hands over connections that say
/// nothing. Of those who have, the oldest and the newest are served in turn: first come, first served starves
/// whoever comes after many that hold their workers, last come, first served whoever is followed by many.
class WorkerPool {
 public:
  /// `serve` is called on a worker with what was handed to enqueue(); it must not throw. `make_room` is
  /// called when something waits and there can be no other worker.
  WorkerPool(int most, std::function<void(int)> serve, std::function<void()> make_room);
  /// As shutdown().
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Takes over `fd`. When too many wait, the one with the least claim is closed unserved: the oldest that is
  /// silent.
  void enqueue(int fd);
  /// More waits than there are idle workers.
  [[nodiscard]] bool is_crowded() const;
  /// Serves what waits, and ends the threads. Idempotent; enqueue() must not follow.
  void shutdown();

 private:
  static constexpr std::size_t kWaitingPerWorker = 4;
  enum class Pick { oldest, newest, silent };
  [[nodiscard]] int take(Pick pick);
  void work();
  [[nodiscard]] bool add_worker();

  const std::size_t most_;
  const std::function<void(int)> serve_;
  const std::function<void()> make_room_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<int> waiting_;  ///< guarded by mutex_, as what follows
  std::size_t idle_ = 0;
  bool newest_next_ = true;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace sharedrift
