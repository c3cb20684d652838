#include "metrics/exposition.hpp"
#include "support/exposition_parser.hpp"
#include "support/gunzip.hpp"
#include "support/slow_page.hpp"
#include "support/views.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

/// What the exposition keeps from one page to the next.
namespace sharedrift {
namespace {

using testing::a_view;
using testing::account_number;
using testing::ExpositionParser;
using testing::samples_of;

constexpr WallTime kNoon{Millis{1'795'000'000'000}};

std::string text(Exposition& exposition, TextFormat format) {
  return exposition.page(format, Encoding::identity).joined();
}

/// A board, and beside it what it should show.
class ChangingBoard {
 public:
  ChangingBoard(std::size_t images_in_a_block, std::uint64_t seed)
      : board(images_in_a_block), random_(seed) {}

  /// Changes one thing, as polls and reloads do.
  void change(int round) {
    const std::string id = "m-" + std::to_string(random_.next() % 30);
    const auto place = std::find_if(shown_.begin(), shown_.end(),
                                    [&id](const ViewPtr& view) { return view->policy->id.str() == id; });
    const std::uint64_t action = random_.next() % 10;
    if (action == 0 && place != shown_.end()) {
      board.remove((*place)->policy->id);
      shown_.erase(place);
    } else if (action == 1) {
      names_[account_number(random_.next() % 12)] =
          testing::hostile_texts().at(random_.next() % testing::hostile_texts().size());
      board.set_account_names(names_);
    } else if (action < 5 && place != shown_.end()) {  // only times and counters, as most polls bring it
      auto view = std::make_shared<ImageView>(**place);
      ++view->counters.listings;
      view->last_attempt = kNoon + Millis{round};
      *place = view;
      board.publish(view);
    } else {
      const ViewPtr view = random_view(random_, id);
      if (place == shown_.end()) {
        shown_.push_back(view);
      } else {
        *place = view;
      }
      board.publish(view);
    }
  }
  void empty() {
    for (const ViewPtr& view : shown_)
      board.remove(view->policy->id);
    shown_.clear();
  }
  [[nodiscard]] std::string expected(TextFormat format) const {
    return testing::SlowPage(shown_, names_, format == TextFormat::openmetrics).render();
  }
  bool now_and_then() { return random_.next() % 3 != 0; }

  Board board;

 private:
  testing::SeededRandom random_;
  std::vector<ViewPtr> shown_;
  AccountNames names_;
};

TEST(Exposition, AgreesWithItsSlowTwinThroughEveryChange) {
  for (const std::size_t images_in_a_block : {std::size_t{1}, std::size_t{4}, Board::kImagesInABlock}) {
    ChangingBoard changing(images_in_a_block, 7 + images_in_a_block);
    Exposition exposition(changing.board);  // lives through all changes, so that nothing old may stay
    for (int round = 0; round < 150; ++round) {
      if (round % 50 == 49) changing.empty();
      changing.change(round);
      for (const TextFormat format : {TextFormat::prometheus, TextFormat::openmetrics}) {
        const std::string expected = changing.expected(format);
        // Not every change is seen by a scrape of its own.
        if (changing.now_and_then()) {
          ASSERT_EQ(text(exposition, format), expected) << "round " << round << " of " << images_in_a_block;
        }
        if (changing.now_and_then()) {
          ASSERT_EQ(testing::gunzip(exposition.page(format, Encoding::gzip).joined()), expected)
              << "round " << round << " of " << images_in_a_block;
        }
        if (round % 10 != 0) continue;
        ASSERT_NO_THROW(ExpositionParser::parse(expected, format == TextFormat::openmetrics))
            << "round " << round;
      }
    }
  }
}

constexpr std::size_t kBlocks = 3;

/// Enough images with ids that do not compress: the lines of every family and block are a piece of their own.
class WideBoard : public Board {
 public:
  WideBoard() : Board(100) {
    testing::SeededRandom random(5);
    for (std::size_t i = 0; i < kBlocks * 100; ++i) {
      std::string id = "m-" + std::to_string(i) + "-";
      while (id.size() < 100)
        id += "0123456789abcdefghijklmnopqrstuvwxyz"[random.next() % 36];
      publish(a_view(id));
    }
  }
};
std::size_t shared_pieces(const MetricsPage& a, const MetricsPage& b) {
  return static_cast<std::size_t>(std::count_if(a.pieces.begin(), a.pieces.end(), [&b](const auto& piece) {
    return std::find(b.pieces.begin(), b.pieces.end(), piece) != b.pieces.end();
  }));
}
constexpr std::size_t kBigFamilies = 18;  // all but canaries, accounts and totals

TEST(Exposition, KeepsWhatDidNotChange) {
  WideBoard board;
  const ViewPtr seventh = board.fleet().views[7];
  Exposition exposition(board);
  for (const Encoding encoding : {Encoding::identity, Encoding::gzip}) {
    // What is sent as gzip is joined by family.
    const std::size_t big = encoding == Encoding::gzip ? kBigFamilies : kBigFamilies * kBlocks;
    const MetricsPage before = exposition.page(TextFormat::openmetrics, encoding);
    EXPECT_EQ(shared_pieces(before, exposition.page(TextFormat::openmetrics, encoding)), big);
    auto view = std::make_shared<ImageView>(*seventh);
    ++view->counters.flaps;
    board.publish(view);
    EXPECT_EQ(shared_pieces(before, exposition.page(TextFormat::openmetrics, encoding)), big - 1);
    board.publish(seventh);
  }
}

TEST(Exposition, ForgetsAnEncodingThatNobodyAsksForAnyMore) {
  const WideBoard board;
  for (const Encoding asked : {Encoding::identity, Encoding::gzip}) {
    const Encoding other = asked == Encoding::gzip ? Encoding::identity : Encoding::gzip;
    Exposition exposition(board);
    const auto page = [&exposition](Encoding encoding) {
      return exposition.page(TextFormat::prometheus, encoding);
    };
    const std::string text = page(asked).joined();
    MetricsPage once = page(other);
    const std::string once_text = once.joined();
    exposition.forget_unasked();
    EXPECT_GE(shared_pieces(once, page(other)), kBigFamilies) << "too early";
    EXPECT_TRUE(page(asked).joined() == text);
    exposition.forget_unasked();
    EXPECT_TRUE(page(asked).joined() == text);
    exposition.forget_unasked();
    const std::vector<std::weak_ptr<const std::string>> pieces(once.pieces.begin(), once.pieces.end());
    once = {};
    EXPECT_TRUE(std::all_of(pieces.begin(), pieces.end(), [](const auto& piece) { return piece.expired(); }));
    EXPECT_TRUE(page(asked).joined() == text);
    EXPECT_TRUE(page(other).joined() == once_text);
    exposition.forget_unasked();
    exposition.forget_unasked();
    EXPECT_TRUE(page(other).joined() == once_text) << "even the one that was asked for last";
  }
}

TEST(Exposition, SharesAllLinesBetweenFormats) {
  const WideBoard board;
  Exposition exposition(board);
  for (const Encoding encoding : {Encoding::identity, Encoding::gzip}) {
    EXPECT_EQ(shared_pieces(exposition.page(TextFormat::prometheus, encoding),
                            exposition.page(TextFormat::openmetrics, encoding)),
              encoding == Encoding::gzip ? kBigFamilies : kBigFamilies * kBlocks);
  }
}

TEST(Exposition, ScrapesWhileImagesChangeSeeWholePages) {
  Board board;
  for (int i = 0; i < 20; ++i)
    board.publish(a_view("m-" + std::to_string(i)));
  Exposition exposition(board);
  std::atomic<bool> done{false};
  std::vector<std::thread> scrapers;
  scrapers.reserve(3);
  std::atomic<int> torn{0};
  std::atomic<int> stale{0};
  std::atomic<std::uint64_t> published{0};
  for (int t = 0; t < 3; ++t) {
    scrapers.emplace_back([&, t] {
      const Encoding encoding = t == 0 ? Encoding::gzip : Encoding::identity;
      while (!done.load()) {
        const std::uint64_t at_least = published.load();
        std::string page = exposition.page(TextFormat::openmetrics, encoding).joined();
        if (encoding == Encoding::gzip) page = testing::gunzip(page);
        const auto families = ExpositionParser::parse(page, true);
        // every publication moves both of these in step
        const auto listings = samples_of(families, "share_drift_listings");
        const auto failures = samples_of(families, "share_drift_listing_failures");
        for (std::size_t i = 0; i < listings.size(); ++i) {
          if (listings[i].value != failures[i].value + 1) ++torn;
        }
        const auto newest = std::max_element(failures.begin(), failures.end(),
                                             [](const auto& a, const auto& b) { return a.value < b.value; });
        if (newest->value < static_cast<double>(at_least)) ++stale;
      }
    });
  }
  for (std::uint64_t round = 1; round <= 400; ++round) {
    auto view = std::make_shared<ImageView>(*a_view("m-" + std::to_string(round % 20)));
    view->counters.listings = round + 1;
    view->counters.failures = round;
    board.publish(view);
    published.store(round);
  }
  done.store(true);
  for (std::thread& scraper : scrapers)
    scraper.join();
  EXPECT_EQ(torn.load(), 0);
  EXPECT_EQ(stale.load(), 0) << "a page must have what was published before it was asked for";
}

}  // namespace
}  // namespace sharedrift
