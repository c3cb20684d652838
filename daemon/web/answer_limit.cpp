#include "web/answer_limit.hpp"

namespace sharedrift {

std::shared_ptr<const void> AnswerLimit::enter(Millis patience) {
  {
    std::unique_lock lock(mutex_);
    const bool free = left_.wait_for(lock, patience, [this] { return most_ == 0 || under_way_ < most_; });
    if (!free) return nullptr;
    ++under_way_;
  }
  return {this, [](AnswerLimit* limit) { limit->leave(); }};
}

void AnswerLimit::leave() {
  {
    const std::scoped_lock lock(mutex_);
    --under_way_;
  }
  left_.notify_one();
}

}  // namespace sharedrift
