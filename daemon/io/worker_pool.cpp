#include "io/worker_pool.hpp"

#include <system_error>
#include <utility>

namespace sharedrift {

WorkerPool::WorkerPool(int most, std::function<void(int)> serve, std::function<void()> make_room)
    : most_(static_cast<std::size_t>(most)), serve_(std::move(serve)), make_room_(std::move(make_room)) {
  threads_.reserve(most_);
}

WorkerPool::~WorkerPool() {
  shutdown();
}

bool WorkerPool::add_worker() {
  if (threads_.size() == most_) return false;
  try {
    threads_.emplace_back([this] { work(); });
    return true;
  } catch (const std::system_error&) {  // the limit on tasks: those that are there must do
    return false;
  }
}

void WorkerPool::enqueue(int fd) {
  bool crowded = false;
  {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(fd);
    crowded = waiting_.size() > idle_ && !add_worker();
  }
  if (crowded) make_room_();
  ready_.notify_one();
}

bool WorkerPool::is_crowded() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.size() > idle_;
}

void WorkerPool::shutdown() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  ready_.notify_all();
  for (std::jthread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    ready_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return;
    const int fd = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    serve_(fd);
    lock.lock();
  }
}

}  // namespace sharedrift
