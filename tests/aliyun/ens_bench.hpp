#pragma once

#include "aliyun/ens_client.hpp"
#include "core/number.hpp"
#include "gate_bench.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift::testing {

/// Of the query, as it is written there; empty if there is none of that name.
inline std::string parameter(const HttpRequest& request, const std::string& name) {
  const std::size_t at = request.url.find(name + "=");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 1;
  return request.url.substr(begin, request.url.find('&', begin) - begin);
}

/// Which page the request asks for; 0: it does not say.
inline int page_number(const HttpRequest& request) {
  return parse_number<int>(parameter(request, "PageNumber")).value_or(0);
}

/// Fails every call of one action.
inline std::function<std::optional<ScriptedTransport::Reply>(const HttpRequest&, const std::string&)> failing(
    const std::string& which, HttpResult with) {
  return [which, with](const HttpRequest& /*request*/, const std::string& action) {
    return action == which ? std::optional(ScriptedTransport::Reply{with}) : std::nullopt;
  };
}

/// An EnsClient before an API that has images, an inventory and a caller, and fails where a test says so.
class EnsBench {
 public:
  using Reply = ScriptedTransport::Reply;
  struct Outcome {
    std::optional<Observation> seen;
    MonoTime when;
    int times = 0;
  };

  explicit EnsBench(EnsOptions options = plain())
      : transport(clock,
                  [this](const HttpRequest& request, std::size_t /*index*/) { return serve(request); }),
        client(std::move(options), transport, timers, credentials, clock, random, observer) {}

  static EnsOptions plain() {
    EnsOptions options;
    options.gate = GateBench::unlimited();
    return options;
  }
  static EnsOptions owned_by(const std::string& account) {
    EnsOptions options = plain();
    options.owner = AccountId::parse(account);
    return options;
  }

  Reply serve(const HttpRequest& request) {
    const std::string action = header_of(request, "x-acs-action");
    actions.push_back(action);
    if (before) before(request, action);
    if (instead) {
      if (auto reply = instead(request, action)) return *reply;
    }
    if (action == "GetCallerIdentity") return {answer(200, R"({"AccountId":")" + caller + R"("})")};
    if (action == "DescribeSelfImages") return {inventory_page(request)};
    return page(request);
  }
  [[nodiscard]] Reply page(const HttpRequest& request, Millis latency = Millis{10}) {
    const std::string image = parameter(request, "ImageId");
    return {page_of(image, shares[image], page_number(request)), latency};
  }
  [[nodiscard]] HttpResponse inventory_page(const HttpRequest& request) const {
    std::string rows;
    const auto size = static_cast<std::size_t>(std::stoi(parameter(request, "PageSize")));
    const auto first = static_cast<std::size_t>(page_number(request) - 1) * size;
    for (std::size_t i = first; i < std::min(first + size, inventory.size()); ++i)
      rows += (rows.empty() ? "" : ",") + (R"({"ImageId":")" + inventory[i] + R"(","ImageOwnerAlias":")") +
              alias + R"("})";
    const std::string total = counted ? R"("TotalCount":)" + std::to_string(inventory.size()) + "," : "";
    return answer(200, "{" + total + R"("Images":{"Image":[)" + rows + "]}}");
  }

  /// `listed`: whether the inventory that the caller keeps lists the image.
  std::shared_ptr<Outcome> begin(const std::string& image, bool listed = false,
                                 Millis patience = Millis{300'000}) {
    auto outcome = std::make_shared<Outcome>();
    outcomes.push_back(outcome);
    client.fetch(
        *ImageId::parse(image), [listed] { return listed; }, clock.mono() + patience,
        [this, outcome](Observation seen) {
          ++outcome->times;
          outcome->when = clock.mono();
          outcome->seen = std::move(seen);
        });
    return outcome;
  }
  void run() {
    for (int turns = 0; turns < 100'000 && !over(); ++turns) {
      timers.run_due(clock.mono());
      if (over()) return;
      transport.run_once(timers.next());
    }
  }
  [[nodiscard]] bool over() const {
    return std::all_of(outcomes.begin(), outcomes.end(), [](const auto& one) { return one->times > 0; });
  }
  Observation fetch(const std::string& image, bool listed = false, Millis patience = Millis{300'000}) {
    const auto outcome = begin(image, listed, patience);
    run();
    EXPECT_EQ(outcome->times, 1);
    return outcome->seen.value_or(Observation{});
  }
  InventoryListing walk(Millis patience = Millis{300'000}) {
    std::optional<InventoryListing> found;
    client.walk(clock.mono() + patience, [&found](InventoryListing seen) { found = std::move(seen); });
    while (!found) {
      timers.run_due(clock.mono());
      if (!found) transport.run_once(timers.next());
    }
    return std::move(*found);
  }
  [[nodiscard]] std::size_t asked(const std::string& action) const {
    return static_cast<std::size_t>(std::count(actions.begin(), actions.end(), action));
  }

  std::map<std::string, std::vector<std::string>> shares;
  std::vector<std::string> inventory;
  std::string alias = "self";
  bool counted = true;  ///< the inventory has a TotalCount
  std::string caller = "1111111111111111";
  std::function<void(const HttpRequest&, const std::string& action)> before;
  std::function<std::optional<Reply>(const HttpRequest&, const std::string& action)> instead;
  std::vector<std::string> actions;

  ManualClock clock;
  SeededRandom random;
  CountingObserver observer;
  RotatingCredentials credentials;
  ScriptedTransport transport;
  TimerQueue timers;
  EnsClient client;
  std::vector<std::shared_ptr<Outcome>> outcomes;
};

}  // namespace sharedrift::testing
