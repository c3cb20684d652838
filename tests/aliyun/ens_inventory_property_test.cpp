// Whether an image is ours, asked through the wire: filters that hit too much, images of others, throttling,
// cut answers and changes between two pages, against a model that knows only which images there were when.
#include "ens_bench.hpp"

#include <set>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::answer;
using testing::EnsBench;
using testing::page_number;
using testing::page_of;
using testing::parameter;
using testing::refusal;
using Images = std::map<std::string, bool>;  ///< by id; whether it is ours

/// An API whose images change while somebody reads them.
struct ImageWorld {
  explicit ImageWorld(std::uint64_t seed) : random(seed) {}
  bool one_in(std::uint64_t n) { return random.next() % n == 0; }
  /// Ids that hold each other: a filter by `m-1` hits all of them.
  std::string any_id() {
    return "m-1" + std::string(random.next() % 4, '0') + std::to_string(random.next() % 3);
  }
  void change() {
    const std::string id = any_id();
    if (images.contains(id)) {
      images.erase(id);
    } else {
      images[id] = !one_in(3);
    }
    changed = true;
  }

  std::optional<EnsBench::Reply> reply(const HttpRequest& request) {
    if (one_in(12) && changing && !changed) change();
    history.push_back(images);
    if (one_in(trouble)) {
      troubled = true;
      const HttpResult throttled = refusal("Throttling.User", 400);
      const HttpResult cut = answer(200, R"({"TotalCount":2,"Images":{"Image":[{"ImageId":"m-1)");
      return EnsBench::Reply{one_in(2) ? throttled : cut};
    }
    std::vector<std::string> rows;
    for (const auto& [id, ours] : images) {
      if (id.find(parameter(request, "ImageId")) == std::string::npos) continue;
      rows.push_back(R"({"ImageId":")" + id + R"(","ImageOwnerAlias":")" + (ours ? "self" : "others") +
                     R"("})");
    }
    const auto first = static_cast<std::size_t>(page_number(request) - 1) * kPage;
    std::string page;
    for (std::size_t i = first; i < std::min(first + kPage, rows.size()); ++i)
      page += (page.empty() ? "" : ",") + rows[i];
    const std::string total = counted ? R"("TotalCount":)" + std::to_string(rows.size()) + "," : "";
    return EnsBench::Reply{answer(200, "{" + total + R"("Images":{"Image":[)" + page + "]}}")};
  }
  void begin() {
    history = {images};
    troubled = changed = false;
  }
  /// At some time since begin().
  bool was(const std::string& id, bool ours) const {
    return std::any_of(history.begin(), history.end(), [&](const Images& then) {
      const auto found = then.find(id);
      return (found != then.end() && found->second) == ours;
    });
  }

  static constexpr std::size_t kPage = 3;
  testing::SeededRandom random;
  Images images;
  std::vector<Images> history;
  bool counted = true;
  bool changing = false;
  std::uint64_t trouble = 1'000'000;  ///< one answer in so many
  bool troubled = false;
  bool changed = false;
};

EnsOptions small_pages() {
  EnsOptions options = EnsBench::plain();
  options.limits.page_size = static_cast<int>(ImageWorld::kPage);
  return options;
}

TEST(EnsInventoryProperty, NoVerdictContradictsEveryMomentOfThePoll) {
  std::map<std::string, int> verdicts;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    ImageWorld world(seed);
    EnsBench bench(small_pages());
    bench.instead = [&](const HttpRequest& request, const std::string& action) {
      if (action == "DescribeSelfImages") return world.reply(request);
      return std::optional<EnsBench::Reply>{
          {page_of(parameter(request, "ImageId"), {}, page_number(request), ImageWorld::kPage)}};
    };
    world.counted = !world.one_in(2);
    for (int i = 0; i < 8; ++i)
      world.change();
    for (int step = 0; step < 12; ++step) {
      world.changing = world.one_in(2);
      world.trouble = world.one_in(2) ? 1'000'000 : 2 + world.random.next() % 6;
      world.begin();
      const std::string id = world.any_id();
      const Observation seen = bench.fetch(id);
      SCOPED_TRACE("seed " + std::to_string(seed) + " step " + std::to_string(step) + " " + id);
      if (seen.complete) {
        ASSERT_TRUE(world.was(id, true)) << "in sync, and never there";
      } else if (seen.gone) {
        ASSERT_TRUE(world.was(id, false)) << "gone, and always there";
      } else {
        ASSERT_EQ(seen.failure.reason, Reason::ownership_unknown);
        ASSERT_TRUE(world.troubled || world.changed) << "nothing was in the way: " << seen.failure.detail;
      }
      ++verdicts[seen.complete ? "ours" : seen.gone ? "gone" : "unknown"];
    }
  }
  EXPECT_GT(verdicts["ours"], 1'000);
  EXPECT_GT(verdicts["gone"], 1'000);
  EXPECT_GT(verdicts["unknown"], 30);
}

TEST(EnsInventoryProperty, AWalkInventsNoImageAndWhatItProvesWasTrue) {
  int complete = 0;
  for (std::uint64_t seed = 1; seed <= 1'500; ++seed) {
    ImageWorld world(seed);
    EnsBench bench(small_pages());
    bench.instead = [&](const HttpRequest& request, const std::string& /*action*/) {
      return world.reply(request);
    };
    world.counted = !world.one_in(2);
    for (int i = 0; i < 8; ++i)
      world.change();
    world.changing = world.one_in(2);
    world.trouble = world.one_in(2) ? 1'000'000 : 2 + world.random.next() % 6;
    world.begin();
    const InventoryListing found = bench.walk();
    SCOPED_TRACE("seed " + std::to_string(seed));
    Images rows;
    for (const InventoryRow& row : found.rows) {
      rows[row.id.str()] = row.ours;
      ASSERT_TRUE(std::any_of(world.history.begin(), world.history.end(),
                              [&row](const Images& then) {
                                return then.contains(row.id.str()) && then.at(row.id.str()) == row.ours;
                              }))
          << "invented: " << row.id.str();
    }
    if (found.complete) {
      ++complete;
      ASSERT_NE(std::find(world.history.begin(), world.history.end(), rows), world.history.end())
          << "never true";
    } else {
      ASSERT_TRUE(world.troubled || world.changed) << found.failure.detail;
    }
  }
  EXPECT_GT(complete, 700);
}

}  // namespace
}  // namespace sharedrift
