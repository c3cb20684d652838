#pragma once

#include "metrics/view_store.hpp"
#include "support/views.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Fleets to look at: what the page must show well.
namespace sharedrift::testing {

struct Scene {
  std::vector<std::shared_ptr<ImageView>> views;
  AccountNames names;
  [[nodiscard]] Fleet fleet() const {
    Fleet out;
    out.views.assign(views.begin(), views.end());
    out.account_names = std::make_shared<const AccountNames>(names);
    return out;
  }
};

inline std::shared_ptr<ImageView> an_image_of(const std::string& id, const std::string& name,
                                              const std::string& team, const std::string& severity,
                                              WallTime proven) {
  auto view = a_view(id);
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->name = name;
  policy->team = team;
  policy->severity = severity;
  view->policy = policy;
  view->last_complete = proven;
  view->last_poll = proven;
  return view;
}

inline void add_drift(ImageView& view, std::uint64_t number, DriftKind kind, WallTime since,
                      bool clearing = false, bool held = false) {
  DriftView drift = a_drift(number, kind, since);
  drift.clearing = clearing;
  drift.held = held;
  view.drifts.push_back(drift);
  auto& gauge = kind == DriftKind::unexpected ? view.unexpected_accounts : view.missing_accounts;
  gauge = gauge.value_or(0) + 1;
}

inline void go_blind(ImageView& view, ImageState state, Failure failure) {
  view.state = state;
  view.listing_complete = false;
  view.last_failure = std::make_shared<const Failure>(std::move(failure));
}

/// Every verdict, and most of what can be said beside it.
inline Scene story(WallTime now) {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  Scene scene;
  scene.names = {{account_number(1), "partner-north"},
                 {account_number(2), "lab-berlin"},
                 {account_number(3), "reseller-apac"}};
  const auto add = [&](const std::string& id, const std::string& name, const std::string& team,
                       const std::string& severity, Millis age) -> ImageView& {
    scene.views.push_back(an_image_of("m-5s7qotzavwbrnzaqh4unm" + id, name, team, severity, now - age));
    return *scene.views.back();
  };
  ImageView& leak = add("0001", "edge-base-2026.11", "edge-os", "page", seconds{48});
  leak.shared_accounts = 14;
  add_drift(leak, 81'773'201, DriftKind::unexpected, now - hours{3} - minutes{12});
  add_drift(leak, 3, DriftKind::unexpected, now - minutes{26}, true);
  ImageView& both = add("0002", "edge-gpu-driver", "edge-os", "page", minutes{22});
  add_drift(both, 90'001, DriftKind::unexpected, now - hours{50}, false, true);
  add_drift(both, 1, DriftKind::missing, now - hours{9});
  go_blind(both, ImageState::forbidden,
           {Reason::forbidden, "the key may not list the shares of this image", "NoPermission", 403,
            "8F2C1B7A-4D0E-5F3C-9A61-0C5E7D1B2A34"});
  add_drift(add("0003", "cdn-cache", "delivery", "ticket", seconds{71}), 2, DriftKind::missing,
            now - minutes{41});
  ImageView& timeout = add("0004", "transcoder", "media", "page", minutes{9});
  go_blind(timeout, ImageState::unreachable,
           {Reason::timeout, "no answer from ens.aliyuncs.com within 10s", "", 0, ""});
  ImageView& never = add("0005", "voice-gateway", "media", "ticket", seconds{1});
  go_blind(never, ImageState::never_read,
           {Reason::credentials, "no credentials in any place of the default chain", "", 0, ""});
  never.last_complete.reset();
  never.last_poll.reset();
  never.shared_accounts.reset();
  never.unexpected_accounts.reset();
  never.missing_accounts.reset();
  ImageView& canary = add("0006", "canary", "platform", "", seconds{30});
  auto policy = std::make_shared<ImagePolicy>(*canary.policy);
  policy->canary = true;
  canary.policy = policy;
  add_drift(canary, 1, DriftKind::unexpected, now - hours{24 * 40});
  int number = 7;
  for (const char* name :
       {"iot-broker", "edge-db", "edge-router", "game-lobby", "game-match", "vision-worker", "dns-edge",
        "log-shipper", "build-agent", "waf-edge", "vpn-pop", "object-cache"}) {
    add("00" + std::to_string(10 + number), name, number % 3 == 0 ? "delivery" : "edge-os", "ticket",
        seconds{15 * number})
        .shared_accounts = number % 5;
    ++number;
  }
  return scene;
}

inline Scene calm(WallTime now) {
  Scene scene;
  for (int i = 1; i <= 12; ++i) {
    scene.views.push_back(an_image_of("m-calm" + std::to_string(i), "edge-service-" + std::to_string(i),
                                      "edge-os", "ticket", now - std::chrono::seconds{20 * i}));
  }
  return scene;
}

/// Names that try to leave their cell, in every field that comes from outside.
inline Scene hostile(WallTime now) {
  const std::vector<std::string> evil{
      "<img src=x onerror=\"window.pwned=1\">",
      "</bdi></td></tr></table><script>window.pwned=1</script>",
      "\"><svg onload=window.pwned=1>",
      "'; window.pwned=1; '",
      "javascript:window.pwned=1",
      std::string(400, 'W'),
      "\xe2\x80\xae"
      "drawkcab",
      "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xd7\xa2\xd7\x95\xd7\x9c\xd7\x9d 123",
      "__proto__",
      "constructor",
      "&lt;b&gt;&amp;",
      std::string("nul\0\x1b[31m", 9),
      "\xff\xfe",
  };
  Scene scene;
  for (std::size_t i = 0; i < evil.size(); ++i) {
    auto view = an_image_of("m-evil" + std::to_string(i), evil[i], evil[(i + 1) % evil.size()],
                            evil[(i + 2) % evil.size()], now - std::chrono::seconds{5});
    const std::uint64_t account = 100 + i;
    scene.names[account_number(account)] = evil[i];
    add_drift(*view, account, DriftKind::unexpected, now - std::chrono::minutes{5});
    view->last_failure = std::make_shared<const Failure>(
        Failure{Reason::protocol, evil[i], evil[(i + 3) % evil.size()], 200, evil[(i + 4) % evil.size()]});
    scene.views.push_back(std::move(view));
  }
  scene.views.push_back(an_image_of("constructor", "", "", "", now));
  scene.views.push_back(an_image_of("hasOwnProperty", "", "", "", now));
  return scene;
}

inline Scene crowd(WallTime now, int images) {
  Scene scene;
  for (int i = 0; i < images; ++i) {
    auto view =
        an_image_of("m-crowd" + std::to_string(10'000 + i), "service-" + std::to_string(i * 7919 % images),
                    "team-" + std::to_string(i % 17), "ticket", now - std::chrono::seconds{i % 300});
    if (i % 50 == 0)
      add_drift(*view, static_cast<std::uint64_t>(i), DriftKind::unexpected,
                now - std::chrono::hours{i % 72});
    if (i % 33 == 1)
      add_drift(*view, static_cast<std::uint64_t>(i), DriftKind::missing, now - std::chrono::minutes{i});
    if (i % 40 == 2)
      go_blind(*view, ImageState::unreachable,
               {Reason::throttled, "the API asks to wait", "Throttling.User", 400, "R-" + std::to_string(i)});
    scene.views.push_back(std::move(view));
  }
  return scene;
}

}  // namespace sharedrift::testing
