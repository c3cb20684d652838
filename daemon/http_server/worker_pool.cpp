#include "http_server/worker_pool.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace sharedrift {

WorkerPool::WorkerPool(int most, std::function<void(int)> serve, std::function<void()> make_room,
                       Millis linger)
    : most_(static_cast<std::size_t>(most)),
      serve_(std::move(serve)),
      make_room_(std::move(make_room)),
      linger_(linger) {}

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
  int dropped = -1;
  std::list<std::jthread> retired;  // joined at the end: they have nothing more to do
  {
    const std::scoped_lock lock(mutex_);
    retired.swap(retired_);
    waiting_.push_back(fd);
    crowded = waiting_.size() > idle_ && !add_worker();
    if (waiting_.size() > kWaitingPerWorker * most_) dropped = take(Pick::silent);
  }
  if (dropped >= 0) ::close(dropped);
  if (crowded) make_room_();
  ready_.notify_one();
}

/// Removes the oldest or newest of those that have sent something, or the oldest that has not; if there is
/// none, the oldest of all.
int WorkerPool::take(Pick pick) {
  std::vector<pollfd> states;
  states.reserve(waiting_.size());
  for (const int fd : waiting_)
    states.push_back({fd, POLLIN, 0});
  if (states.size() > 1) ::poll(states.data(), states.size(), 0);
  const auto fits = [pick](const pollfd& s) { return (s.revents == 0) == (pick == Pick::silent); };
  std::size_t place = 0;
  if (pick == Pick::newest) {
    const auto found = std::find_if(states.rbegin(), states.rend(), fits);
    if (found != states.rend()) place = static_cast<std::size_t>(states.rend() - found) - 1;
  } else {
    const auto found = std::find_if(states.begin(), states.end(), fits);
    if (found != states.end()) place = static_cast<std::size_t>(found - states.begin());
  }
  const int fd = waiting_[place];
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(place));
  return fd;
}

bool WorkerPool::is_crowded() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.size() > idle_;
}

std::size_t WorkerPool::workers() const {
  const std::scoped_lock lock(mutex_);
  return threads_.size();
}

void WorkerPool::shutdown() {
  std::list<std::jthread> ending;
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
    ending.swap(threads_);
    ending.splice(ending.end(), retired_);
  }
  ready_.notify_all();
}

/// On a worker that is about to be idle or to serve: how many were busy at a time, lately.
void WorkerPool::note_use() {
  const MonoTime now = std::chrono::steady_clock::now();
  if (now - peak_since_ >= linger_) {
    peak_before_ = now - peak_since_ >= 2 * linger_ ? 0 : peak_;
    peak_ = 0;
    peak_since_ = now;
  }
  peak_ = std::max(peak_, threads_.size() - idle_);
}

/// On a worker that has nothing to do: true if it shall end.
bool WorkerPool::retire() {
  if (ending_) return true;
  if (threads_.size() <= std::max({kKept, peak_, peak_before_})) return false;
  const auto self = std::find_if(threads_.begin(), threads_.end(), [](const std::jthread& thread) {
    return thread.get_id() == std::this_thread::get_id();
  });
  retired_.splice(retired_.end(), threads_, self);
  return true;
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (waiting_.empty()) {
      ++idle_;
      const auto needed = [this] { return ending_ || !waiting_.empty(); };
      if (threads_.size() > kKept) {
        ready_.wait_for(lock, linger_, needed);
      } else {
        ready_.wait(lock, needed);
      }
      note_use();
      --idle_;
    }
    if (waiting_.empty()) {
      if (retire()) return;
      continue;
    }
    note_use();
    const int fd = take(newest_next_ ? Pick::newest : Pick::oldest);
    newest_next_ = !newest_next_;
    lock.unlock();
    serve_(fd);
    lock.lock();
    if (waiting_.empty() && retire()) return;
  }
}

}  // namespace sharedrift
