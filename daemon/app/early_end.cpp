#include "app/early_end.hpp"

#include "os/signals.hpp"

#include <csignal>
#include <utility>

#include <pthread.h>
#include <unistd.h>

namespace sharedrift {

EarlyEnd::EarlyEnd(std::function<void()> last_word)
    : waiting_([last_word = std::move(last_word)] {
        const sigset_t signals = signal_set({SIGTERM, SIGINT, SIGUSR1});
        int number = 0;
        if (::sigwait(&signals, &number) != 0 || number == SIGUSR1) return;
        last_word();
        ::_exit(0);
      }) {}

EarlyEnd::~EarlyEnd() {
  ::pthread_kill(waiting_.native_handle(), SIGUSR1);
}

}  // namespace sharedrift
