#include "core/timer_queue.hpp"

namespace sharedrift {

TimerQueue::Timer TimerQueue::at(MonoTime when, std::function<void()> callback) {
  const Key key{when, ++set_};
  callbacks_.emplace(key, std::move(callback));
  return {*this, key};
}

MonoTime TimerQueue::next() const {
  return callbacks_.empty() ? MonoTime::max() : callbacks_.begin()->first.first;
}

void TimerQueue::run_due(MonoTime now) {
  while (!callbacks_.empty() && next() <= now) {
    const auto first = callbacks_.extract(callbacks_.begin());
    first.mapped()();
  }
}

}  // namespace sharedrift
