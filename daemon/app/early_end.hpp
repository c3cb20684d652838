#pragma once

#include <functional>
#include <thread>

namespace sharedrift {

/// As long as it exists, SIGTERM and SIGINT end the process at once, with status 0: `last_word` is said
/// first, on a thread of its own. For a start that takes long, before there is anything to save. Both signals
/// and SIGUSR1 must be blocked.
class EarlyEnd {
 public:
  explicit EarlyEnd(std::function<void()> last_word);
  EarlyEnd(const EarlyEnd&) = delete;
  EarlyEnd& operator=(const EarlyEnd&) = delete;
  ~EarlyEnd();

 private:
  std::jthread waiting_;
};

}  // namespace sharedrift
