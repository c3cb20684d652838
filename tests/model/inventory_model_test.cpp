// Every history of an account's inventory up to a depth: which images are known, came, left and are proven to
// be ours is read from the whole history each time, and must be what OwnedImages says.
#include "core/owned_images.hpp"
#include "model_depth.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift::testing {
namespace {

using Images = std::set<int>;
constexpr int kA = 0;
constexpr int kB = 1;
constexpr int kAll = 12;  ///< with the ten others of a house that is guarded

struct House {
  int confirm = 2;
  bool guarded = false;  ///< ten images more are there, so that a mass change is one
};

struct Walk {
  std::string words;
  bool proven = false;
  Images rows;
  int minutes = 5;
  bool restart = false;  ///< no walk: an earlier life's images are remembered
};

std::string name_of(int image) {
  return image == kA ? "A" : image == kB ? "B" : "another";
}

std::vector<Walk> alphabet(const House& house) {
  Images others;
  for (int image = kB + 1; house.guarded && image < kAll; ++image)
    others.insert(image);
  const auto with = [&others](Images images) {
    images.insert(others.begin(), others.end());
    return images;
  };
  std::vector<Walk> all{
      {"a proven inventory lacks A and B", true, with({})},
      {"a proven inventory lists A", true, with({kA})},
      {"a proven inventory lists B", true, with({kB})},
      {"a proven inventory lists A and B", true, with({kA, kB})},
      {"a walk breaks off before any row", false, {}},
      {"a walk breaks off after a row of A", false, {kA}},
      {"a proven inventory lists A, after twenty minutes without a walk", true, with({kA}), 20},
      {"a walk breaks off after twenty minutes without one", false, {}, 20},
      {"a restart", false, {}, 1, true},
  };
  if (!house.guarded) return all;
  all.push_back({"a proven inventory lists A, and three others are gone at once", true, {kA}});
  for (int image = kB + 4; image < kAll; ++image)
    all.back().rows.insert(image);
  return all;
}

/// The law: presence is cheap, absence needs `confirm` proven inventories of this life, and one that lost too
/// many at once is none for those that it is the first to lack.
class Law {
 public:
  Law(const House& house, const std::vector<Walk>& history) : house_(house), history_(history) {}

  [[nodiscard]] bool row(int i, int image) const { return at(i).rows.contains(image); }
  [[nodiscard]] bool lacks(int i, int image) const { return at(i).proven && !row(i, image); }
  /// The walks of this life that lack it, since it was last seen.
  [[nodiscard]] std::vector<int> absences(int i, int image) const {
    std::vector<int> out;
    for (int j = i; j >= 0 && !at(j).restart && !row(j, image); --j) {
      if (lacks(j, image)) out.insert(out.begin(), j);
    }
    return out;
  }
  [[nodiscard]] bool is_mass_change(int i) const {
    int known_by_then = 0;
    int began = 0;
    for (int image = 0; image < kAll; ++image) {
      const bool was = known(i - 1, image);
      known_by_then += was || row(i, image) ? 1 : 0;
      began += was && lacks(i, image) && absences(i - 1, image).empty() ? 1 : 0;
    }
    return known_by_then >= 10 && began * 100 > known_by_then * 20;
  }
  [[nodiscard]] bool is_proven_absent(int i, int image) const {
    const std::vector<int> all = absences(i, image);
    const auto count = static_cast<int>(all.size());
    if (count < house_.confirm) return false;
    return count > house_.confirm || !is_mass_change(all.front());
  }
  [[nodiscard]] bool known(int i, int image) const {
    for (; i >= 0 && !is_proven_absent(i, image); --i) {
      if (row(i, image)) return true;
    }
    return false;
  }
  /// The last inventory of this life is not older than three intervals, and lists it.
  [[nodiscard]] bool proves(int i, int image) const {
    int age = 0;
    for (; i >= 0 && !at(i).restart && !at(i).proven; --i)
      age += at(i).minutes;
    return i >= 0 && at(i).proven && age <= 15 && row(i, image);
  }

 private:
  [[nodiscard]] const Walk& at(int i) const { return history_[static_cast<std::size_t>(i)]; }
  const House& house_;
  const std::vector<Walk>& history_;
};

class Search {
 public:
  explicit Search(const House& house) : house_(house), letters_(alphabet(house)) {}

  /// In words, where law and code differ; empty where they agree.
  std::string run(int depth) {
    for (int length = 1; length <= depth; ++length) {
      steps_ = 0;
      const std::string found = enter({}, 0, length);
      if (!found.empty()) return found;
    }
    return {};
  }
  [[nodiscard]] std::size_t steps() const { return steps_; }

 private:
  std::string enter(const OwnedImages& before, int minute, int left) {
    for (const Walk& walk : letters_) {
      history_.push_back(walk);
      OwnedImages after = before;
      const int now = minute + walk.minutes;
      const OwnedImages::News news = take(after, walk, now);
      std::string found = left > 1 ? enter(after, now, left - 1) : difference(after, news, now);
      if (!found.empty()) return found;
      history_.pop_back();
    }
    return {};
  }
  OwnedImages::News take(OwnedImages& images, const Walk& walk, int minute) const {
    if (walk.restart) {
      const OwnedImages before = std::exchange(images, {});
      for (const auto& [id, image] : before.images())
        images.remember(id, {image.name, image.created, image.since});
      return {};
    }
    InventoryListing listing;
    listing.complete = walk.proven;
    for (const int image : walk.rows)
      listing.rows.push_back({id_of(image), name_of(image), {}, true});
    return images.take(listing, {mono(minute), WallTime{std::chrono::minutes{minute}}}, rules());
  }
  std::string difference(const OwnedImages& is, const OwnedImages::News& news, int minute) {
    ++steps_;
    const Law law(house_, history_);
    const int end = static_cast<int>(history_.size()) - 1;
    std::string out;
    const auto compare = [&out](int image, const char* what, bool by_law, bool by_code) {
      if (by_law != by_code)
        out += "  " + name_of(image) + (by_law ? " is to be " : " is not to be ") + what + "\n";
    };
    const auto has = [](const std::vector<ImageId>& ids, const ImageId& id) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    for (int image = 0; image < (house_.guarded ? kAll : 2); ++image) {
      const ImageId id = id_of(image);
      const bool was = law.known(end - 1, image);
      const bool known = law.known(end, image);
      compare(image, "known", known, is.images().contains(id));
      compare(image, "told as new", known && !was, has(news.came, id));
      compare(image, "told as gone", was && !known, has(news.left, id));
      compare(image, "proven to be ours", law.proves(end, image), is.proves(id, mono(minute), rules()));
    }
    if (out.empty()) return out;
    std::string story = "\n  confirm_clears " + std::to_string(house_.confirm) + "; then\n";
    for (const Walk& walk : history_)
      story += "    " + walk.words + "\n";
    return story + "  after that\n" + out;
  }
  static ImageId id_of(int image) {
    static const std::vector<ImageId> ids = [] {
      std::vector<ImageId> all;
      for (int i = 0; i < kAll; ++i)
        all.push_back(*ImageId::parse("m-" + std::to_string(10 + i)));
      return all;
    }();
    return ids[static_cast<std::size_t>(image)];
  }
  static MonoTime mono(int minute) { return MonoTime{std::chrono::minutes{minute}}; }
  [[nodiscard]] OwnedImages::Rules rules() const { return {std::chrono::minutes{5}, house_.confirm, 20}; }

  House house_;
  std::vector<Walk> letters_;
  std::vector<Walk> history_;
  std::size_t steps_ = 0;
};

class InventoryModel : public ::testing::TestWithParam<House> {};

TEST_P(InventoryModel, KnowsWhatTheLawSays) {
  const auto begin = std::chrono::steady_clock::now();
  const int depth = model_depth() - (GetParam().guarded ? 1 : 0);  // twelve images, or two
  Search search(GetParam());
  EXPECT_EQ(search.run(depth), "");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::cout << "  confirm_clears " << GetParam().confirm << (GetParam().guarded ? ", guarded" : "")
            << ": depth " << depth << ", " << search.steps() << " histories, " << took.count() << " s\n";
}

std::vector<House> houses() {
  std::vector<House> all;
  for (int confirm = 1; confirm <= 3; ++confirm) {
    for (const bool guarded : {false, true})
      all.push_back({confirm, guarded});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(EveryHouse, InventoryModel, ::testing::ValuesIn(houses()),
                         [](const ::testing::TestParamInfo<House>& at) {
                           return "Confirm" + std::to_string(at.param.confirm) +
                                  (at.param.guarded ? "Guarded" : "");
                         });

}  // namespace
}  // namespace sharedrift::testing
