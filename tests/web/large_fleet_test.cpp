#include "support/files.hpp"
#include "support/sanitized.hpp"
#include "web_bench.hpp"

#include <future>
#include <set>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::WebRoutesTest;

std::size_t peak_kib() {
  const std::string status = testing::read_file("/proc/self/status");
  return std::stoul(status.substr(status.find("VmHWM:") + 6));
}

/// Images, each with something to tell.
Fleet large_fleet(int images) {
  Fleet fleet;
  for (int i = 0; i < images; ++i) {
    auto view = testing::a_view("m-5s7qotzavwbrnzaqh4unm" + std::to_string(10'000 + i));
    auto policy = std::make_shared<ImagePolicy>(*view->policy);
    policy->name = "edge-service-" + std::to_string(i);
    policy->team = "edge-os";
    policy->severity = "page";
    view->policy = policy;
    view->drifts = {testing::a_drift(static_cast<std::uint64_t>(i), DriftKind::unexpected, testing::kNow)};
    fleet.views.push_back(view);
  }
  fleet.account_names = std::make_shared<const AccountNames>();
  return fleet;
}

TEST_F(WebRoutesTest, FourReadersOfALargeFleetNeedRoomForOnePage) {
  backend.count = [](std::string_view /*path*/, int /*code*/) {};  // four threads must not share a list
  get("/-/healthy");
  std::size_t before = 0;
  for (const auto& [path, images] : {std::pair{"/api/v1/images", 10'000}, std::pair{"/", 50'000}}) {
    fleet = large_fleet(images);
    before = peak_kib();
    std::vector<std::future<ServerResponse>> readers;
    for (int i = 0; i < 4; ++i)
      readers.push_back(std::async(std::launch::async, [this, path = path] { return get(path); }));
    std::set<const std::string*> pieces;
    std::size_t size = 0;
    std::vector<ServerResponse> answers;
    for (auto& reader : readers)
      answers.push_back(reader.get());
    for (const ServerResponse& answer : answers) {
      ASSERT_EQ(answer.status, 200);
      for (const auto& piece : answer.tail)
        size += pieces.insert(piece.get()).second ? piece->size() : 0;
    }
    const std::string page = testing::body_of(answers.front());
    EXPECT_GT(page.size(), 500U * static_cast<std::size_t>(images)) << path;
    EXPECT_EQ(size, page.size()) << path << ": one for all";
  }
  constexpr std::size_t kMost = 224U << 10U;  // the page and its copy made here; it was 737 MiB
  if (!testing::kSanitized) {
    EXPECT_LT(peak_kib() - before, kMost);
  }
}

}  // namespace
}  // namespace sharedrift
