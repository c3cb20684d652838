#pragma once

#include "core/time.hpp"
#include "http_server/http_server.hpp"
#include "simulator/answer.hpp"

#include <condition_variable>
#include <mutex>

namespace sharedrift::simulator {

/// A wait that the end of the program cuts short. Thread-safe.
class Nap {
 public:
  /// False if the program ends before the time is over.
  bool wait(Millis time);
  /// Ends every wait, now and later.
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
};

/// The answer in the server's terms; one that is not to be sent plainly writes its own bytes. `nap` must
/// outlive the response.
ServerResponse to_response(SimAnswer answer, Nap& nap);

}  // namespace sharedrift::simulator
