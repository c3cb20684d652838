#pragma once

#include "core/time.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>

namespace sharedrift {

/// At most so many answers at a time, each counted until it is sent. Must outlive them. Thread-safe.
class AnswerLimit {
 public:
  /// `most` 0: no limit.
  explicit AnswerLimit(int most) : most_(most) {}

  /// A place among them, which is free again when nobody holds the permit any more (ServerResponse::permit).
  /// Null if none came free within `patience`.
  [[nodiscard]] std::shared_ptr<const void> enter(Millis patience);

 private:
  void leave();

  const int most_;
  std::mutex mutex_;
  std::condition_variable left_;
  int under_way_ = 0;  ///< guarded by mutex_
};

}  // namespace sharedrift
