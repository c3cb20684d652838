#include "http_client/blocking_http.hpp"

#include <optional>
#include <utility>

namespace sharedrift {

HttpResult perform(HttpTransport& transport, HttpRequest request, MonoTime deadline,
                   const std::stop_token& stop) {
  std::optional<HttpResult> result;
  transport.start(std::move(request), deadline, [&result](HttpResult r) { result = std::move(r); });
  const std::stop_callback wake_up(stop, [&transport] { transport.wake(); });
  while (!result && !stop.stop_requested())
    transport.run_once(deadline);
  if (result) return std::move(*result);
  transport.cancel_all();
  return Err(TransportError{Reason::timeout, "stopped"});
}

}  // namespace sharedrift
