#include "app/refusal_news.hpp"

#include <utility>

namespace sharedrift {

namespace {

constexpr bool same_names() {
  for (std::size_t i = 0; i < kAllRefusals.size(); ++i) {
    if (kRefusalReasons.at(i) != to_string(kAllRefusals.at(i))) return false;
  }
  return kRefusalReasons.size() == kAllRefusals.size();
}
static_assert(same_names(), "the metric names the reasons of the server, in their order");

}  // namespace

void RefusalNews::on_refused(Refusal why, const std::string& address) {
  constexpr Millis kBetweenLines{600'000};
  metrics_.on_refused_connection(static_cast<std::size_t>(why));
  Kind& kind = kinds_.at(static_cast<std::size_t>(why));
  ++kind.untold;
  const MonoTime now = clock_.now().mono;
  if (kind.told != MonoTime{} && now - kind.told < kBetweenLines) return;
  kind.told = now;
  tell_(EventType::connections_refused, {{"reason", std::string(to_string(why))},
                                         {"connections", std::exchange(kind.untold, 0)},
                                         {"address", address}});
}

}  // namespace sharedrift
