// The web skin over made-up fleets, for the browser tests and for looking at: web_preview [PORT]. Prints its
// port, and ends when its standard input does. POST /_test/scene?name=NAME changes what it shows, POST
// /_test/answer?code=503 makes the page fail (200: no more), GET /_test/count tells how often it was asked
// for.
#include "app/version.hpp"
#include "browser/scenes.hpp"
#include "core/text.hpp"
#include "http_server/sockets.hpp"
#include "metrics/exposition.hpp"
#include "web/web_routes.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

#include <unistd.h>

namespace sharedrift::testing {
namespace {

WallTime wall_now() {
  return std::chrono::floor<Millis>(std::chrono::system_clock::now());
}

Scene make_scene(const std::string& name, WallTime now) {
  if (name == "calm") return calm(now);
  if (name == "hostile") return hostile(now);
  if (name == "crowd") return crowd(now, 1000);
  if (name == "empty") return {};
  Scene scene = story(now);
  if (name == "mended") {  // the first leak is over, and a quiet image begins to leak
    scene.views[0]->drifts.clear();
    add_drift(*scene.views[6], 777, DriftKind::unexpected, now);
  }
  return scene;
}

class Preview {
 public:
  Preview() : scene_(make_scene("story", started_)), routes_(backend(), {}) {}

  ServerResponse answer(const ServerRequest& request) {
    if (request.path == "/_test/scene") {
      const std::scoped_lock lock(mutex_);
      const bool again = request.parameter("again").has_value();  // as it was for the one before
      if (!again) started_ = wall_now();
      scene_ = make_scene(std::string(request.parameter("name").value_or("story")), started_);
      return ServerResponse::text(200, "");
    }
    if (request.path == "/_test/answer") {
      code_ = std::atoi(std::string(request.parameter("code").value_or("200")).c_str());
      return ServerResponse::text(200, "");
    }
    if (request.path == "/_test/count") return ServerResponse::text(200, std::to_string(calls_.load()));
    const bool page = request.path == "/";
    if (page && code_ != 200) {
      ++calls_;
      return ServerResponse::text(code_, "as told\n");
    }
    ServerResponse answer = routes_.answer(request);
    if (page && !answer.later) ++calls_;  // else it is asked again, on another lane
    return answer;
  }

 private:
  /// As if each image's drift had opened just now, after a failure.
  std::vector<Event> events_of(const std::string& image) {
    const std::scoped_lock lock(mutex_);
    std::vector<Event> events;
    for (const auto& view : scene_.views) {
      if (view->policy->id.str() != image) continue;
      events.push_back({EventType::listing_failed, started_ - Millis{600'000}, image, {}});
      events.back().add("image_name", clean(view->policy->name));
      events.back().add("reason", std::string("timeout"));
      for (const DriftView& drift : view->drifts) {
        events.push_back({EventType::drift_opened, drift.since, image, {}});
        events.back().add("kind", std::string(to_string(drift.kind)));
        events.back().add("account_id", std::string(drift.account.str()));
      }
    }
    return events;
  }

  WebBackend backend() {
    WebBackend backend;
    backend.fleet = [this] {
      const std::scoped_lock lock(mutex_);
      return scene_.fleet();
    };
    backend.metrics = [](TextFormat, Encoding) { return MetricsPage{}; };
    backend.ready = [] { return true; };
    backend.config = [] { return std::string("images: []\n"); };
    backend.events = [this](const EventQuery& query) { return events_of(query.image_id); };
    backend.reload = [] { return Unit{}; };
    backend.poll = [](const ImageId& /*image*/) {};
    backend.health = [] { return OwnHealth{program_version(), program_revision()}; };
    backend.now = wall_now;
    return backend;
  }

  std::mutex mutex_;
  WallTime started_ = wall_now();
  Scene scene_;
  std::atomic<int> code_{200};
  std::atomic<int> calls_{0};
  WebRoutes routes_;
};

}  // namespace
}  // namespace sharedrift::testing

int main(int argc, char** argv) {
  sharedrift::testing::Preview preview;
  const auto socket = sharedrift::open_listening_socket("127.0.0.1", argc > 1 ? std::atoi(argv[1]) : 0);
  if (!socket) {
    std::fprintf(stderr, "%s\n", socket.error().c_str());
    return 1;
  }
  const auto server = sharedrift::HttpServer::start(
      {*socket}, {},
      [&preview](const sharedrift::ServerRequest& request) { return preview.answer(request); });
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().c_str());
    return 1;
  }
  std::printf("%d\n", (*server)->port());
  std::fflush(stdout);
  char ignored = 0;
  while (::read(STDIN_FILENO, &ignored, 1) > 0) {
  }
  (*server)->stop(sharedrift::Millis{500});
  return 0;
}
