#pragma once

#include "core/time.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

namespace sharedrift {

/// At most so many answers at a time, each counted until it is sent. Must outlive them. Thread-safe.
class AnswerLimit {
 public:
  /// `most` 0: no limit.
  explicit AnswerLimit(int most) : most_(most) {}

  /// A place among them: an empty string to hang on the answer, which gives the place back when it is gone.
  /// Null if none came free within `patience`.
  [[nodiscard]] std::shared_ptr<const std::string> enter(Millis patience);

 private:
  void leave();

  const int most_;
  std::mutex mutex_;
  std::condition_variable left_;
  int under_way_ = 0;  ///< guarded by mutex_
};

}  // namespace sharedrift
