#include "app/exposition.hpp"

#include "support/exposition_parser.hpp"
#include "support/golden.hpp"
#include "support/gunzip.hpp"
#include "support/slow_page.hpp"
#include "support/views.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::a_drift;
using testing::a_view;
using testing::account_number;
using ::testing::ElementsAre;
using testing::ExpositionParser;
using testing::find_family;
using testing::samples_of;
using ::testing::SizeIs;

constexpr WallTime kNoon{Millis{1'795'000'000'000}};

std::vector<testing::ParsedFamily> parsed(const Board& board, TextFormat format = TextFormat::prometheus) {
  return ExpositionParser::parse(Exposition(board).page(format, Encoding::identity).joined(),
                                 format == TextFormat::openmetrics);
}
std::string text(Exposition& exposition, TextFormat format = TextFormat::prometheus) {
  return exposition.page(format, Encoding::identity).joined();
}
std::vector<double> values(const std::vector<testing::ParsedSample>& samples) {
  std::vector<double> out;
  out.reserve(samples.size());
  for (const auto& sample : samples)
    out.push_back(sample.value);
  return out;
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
      place == shown_.end() ? shown_.push_back(view) : void(*place = view);
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

TEST(Exposition, EveryAbsentSetIsAnAbsentSeriesAndNotAZero) {
  Board board;
  auto view = std::make_shared<ImageView>(*a_view("m-1"));
  view->state = ImageState::never_read;
  view->shared_accounts = view->unexpected_accounts = view->missing_accounts = std::nullopt;
  view->unlisted_accounts = view->unused_entries = view->unexpected_count_bound = std::nullopt;
  view->last_complete = view->last_attempt = std::nullopt;
  view->counters = {};
  board.publish(view);
  const auto page = parsed(board);
  for (const char* name :
       {"share_drift_shared_accounts", "share_drift_unexpected_accounts", "share_drift_missing_accounts",
        "share_drift_unlisted_accounts", "share_drift_unused_entries", "share_drift_canary_drift_open",
        "share_drift_unexpected_accounts_count_bound", "share_drift_account_since_timestamp_seconds"}) {
    EXPECT_EQ(find_family(page, name), nullptr) << name;
  }
  for (const char* name : {"share_drift_listing_last_complete_timestamp_seconds",
                           "share_drift_listing_last_attempt_timestamp_seconds", "share_drift_listings_total",
                           "share_drift_listing_failures_total", "share_drift_flaps_total"}) {
    EXPECT_THAT(values(samples_of(page, name)), ElementsAre(0)) << name;
  }
  EXPECT_THAT(values(samples_of(page, "share_drift_opened_total")), ElementsAre(0, 0));
  EXPECT_THAT(values(samples_of(page, "share_drift_closed_total")), ElementsAre(0, 0));
  const auto states = samples_of(page, "share_drift_image_state");
  ASSERT_THAT(states, SizeIs(1));
  EXPECT_EQ(states[0].label("state"), "never_read");
}

TEST(Exposition, CanaryFeedsItsOwnSeriesAndNeverThePage) {
  Board board;
  auto view = std::make_shared<ImageView>(*a_view("m-canary"));
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->canary = true;
  view->policy = policy;
  view->unexpected_accounts = 3;
  view->drifts = {a_drift(1, DriftKind::unexpected, kNoon)};
  board.publish(view);
  const auto page = parsed(board);
  EXPECT_EQ(find_family(page, "share_drift_unexpected_accounts"), nullptr);
  EXPECT_EQ(find_family(page, "share_drift_account_since_timestamp_seconds"), nullptr);
  EXPECT_THAT(values(samples_of(page, "share_drift_canary_drift_open")), ElementsAre(1));
  EXPECT_THAT(values(samples_of(page, "share_drift_account_series_dropped")), ElementsAre(0));
}

TEST(Exposition, AccountSeriesStopAtTwoHundredOldestFirst) {
  Board board;
  for (int image = 0; image < 3; ++image) {
    auto view = std::make_shared<ImageView>(*a_view("m-" + std::to_string(image)));
    for (std::uint64_t i = 0; i < 150; ++i) {
      // interleaved over the images, youngest first
      view->drifts.push_back(
          a_drift(i, DriftKind::unexpected, kNoon - Millis{static_cast<std::int64_t>(3 * i) + image}));
    }
    view->unexpected_accounts = 150;
    board.publish(view);
  }
  const auto page = parsed(board);
  const auto series = samples_of(page, "share_drift_account_since_timestamp_seconds");
  ASSERT_THAT(series, SizeIs(kMaxAccountSeries));
  EXPECT_TRUE(std::is_sorted(series.begin(), series.end(),
                             [](const auto& a, const auto& b) { return a.value < b.value; }));
  EXPECT_DOUBLE_EQ(series.front().value, unix_seconds(kNoon - Millis{449}));
  EXPECT_DOUBLE_EQ(series.back().value, unix_seconds(kNoon - Millis{250}));
  EXPECT_THAT(values(samples_of(page, "share_drift_account_series_dropped")), ElementsAre(250));
  EXPECT_THAT(values(samples_of(page, "share_drift_unexpected_accounts")), ElementsAre(150, 150, 150));
}

TEST(Exposition, ExceptionsStopAtTwoHundredToo) {
  Board board;
  const auto view = a_view("m-1");
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  for (std::uint64_t i = 0; i < 201; ++i) {
    policy->exceptions.push_back(
        {account_number(i), kNoon + Millis{static_cast<std::int64_t>(i)}, "", "", ""});
  }
  view->policy = policy;
  board.publish(view);
  const auto page = parsed(board);
  const auto series = samples_of(page, "share_drift_exception_expiry_timestamp_seconds");
  ASSERT_THAT(series, SizeIs(kMaxAccountSeries));
  EXPECT_EQ(series.back().label("account_id"), account_number(199).str());
  EXPECT_THAT(values(samples_of(page, "share_drift_account_series_dropped")), ElementsAre(1));
}

TEST(Exposition, NamesComeFromTheAddressBookAndAreEmptyWithoutOne) {
  Board board;
  auto view = std::make_shared<ImageView>(*a_view("m-1"));
  view->drifts = {a_drift(1, DriftKind::unexpected, kNoon), a_drift(2, DriftKind::missing, kNoon)};
  board.publish(view);
  Exposition exposition(board);
  text(exposition);
  board.set_account_names({{account_number(1), "partner \"north\"\n"}});
  const auto series = samples_of(ExpositionParser::parse(text(exposition), false),
                                 "share_drift_account_since_timestamp_seconds");
  ASSERT_THAT(series, SizeIs(2));
  EXPECT_EQ(series[0].label("account_name"), "partner \"north\"\n");
  EXPECT_EQ(series[0].label("kind"), "unexpected");
  EXPECT_EQ(series[1].label("account_name"), "");
  EXPECT_EQ(series[1].label("kind"), "missing");
}

TEST(Exposition, HostileStringsComeBackAsTheyWere) {
  Board board;
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < testing::hostile_texts().size(); ++i) {
    auto view = std::make_shared<ImageView>(*a_view("m-" + std::to_string(i)));
    auto policy = std::make_shared<ImagePolicy>(*view->policy);
    policy->name = testing::hostile_texts().at(i);
    view->policy = policy;
    board.publish(view);
    expected.push_back(is_valid_utf8(policy->name) ? policy->name
                                                   : "bad \xEF\xBF\xBD\xEF\xBF\xBD bytes \xEF\xBF\xBD");
  }
  for (const TextFormat format : {TextFormat::prometheus, TextFormat::openmetrics}) {
    std::vector<std::string> names;
    for (const auto& sample : samples_of(parsed(board, format), "share_drift_image_info"))
      names.push_back(sample.label("image_name"));
    EXPECT_EQ(names, expected);
  }
}

TEST(Exposition, EverySampleHasTheLabelsOfTheTableAndNoAccountIdOnACounter) {
  testing::SeededRandom random(3);
  Board board;
  for (int i = 0; i < 40; ++i)
    board.publish(random_view(random, "m-" + std::to_string(i)));
  const auto page = parsed(board);
  std::set<std::string> seen;
  for (const MetricSpec& metric : metric_table().first(kImageMetricCount)) {
    const auto* family = find_family(page, metric.name);
    ASSERT_NE(family, nullptr) << metric.name;
    EXPECT_EQ(family->type, to_string(metric.kind));
    EXPECT_EQ(family->help, metric.help);
    for (const auto& sample : family->samples) {
      EXPECT_EQ(sample.label_names(), metric.labels) << metric.name;
      if (metric.kind != MetricKind::counter) continue;
      EXPECT_EQ(sample.label("account_id"), "");
    }
  }
  EXPECT_THAT(page, SizeIs(kImageMetricCount));
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

TEST(Exposition, ASmallPageIsOnePiece) {
  Board board;
  board.publish(a_view("m-1"));
  Exposition exposition(board);
  for (const Encoding encoding : {Encoding::identity, Encoding::gzip})
    EXPECT_LE(exposition.page(TextFormat::openmetrics, encoding).pieces.size(), 2U);
}

TEST(Exposition, AnEmptyBoardIsStillAPage) {
  const Board board;
  const auto page = parsed(board);
  EXPECT_THAT(values(samples_of(page, "share_drift_watched_images")), ElementsAre(0));
  EXPECT_THAT(page, SizeIs(2));
}

TEST(Exposition, PutsTheDaemonsOwnFamiliesBeforeTheEnd) {
  Board board;
  Exposition exposition(board, [](std::string& out, TextFormat format) {
    append_head(out, spec(Metric::poll_overruns), format);
    out += "share_drift_poll_overruns_total 4\n";
  });
  for (const TextFormat format : {TextFormat::prometheus, TextFormat::openmetrics}) {
    const bool openmetrics = format == TextFormat::openmetrics;
    const std::string page = text(exposition, format);
    const std::string zipped = exposition.page(format, Encoding::gzip).joined();
    EXPECT_EQ(testing::gunzip(zipped), page);
    const auto families = ExpositionParser::parse(page, openmetrics);
    EXPECT_EQ(families.back().name,
              openmetrics ? "share_drift_poll_overruns" : "share_drift_poll_overruns_total");
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

TEST(Exposition, LooksLikeTheGoldenPages) {
  Board board;
  board.set_account_names({{account_number(1), "partner-north"}});
  auto drifting = std::make_shared<ImageView>(*a_view("m-5s7qotzavwbrnzaqh4unm0000"));
  auto policy = std::make_shared<ImagePolicy>(*drifting->policy);
  policy->name = "edge-base";
  policy->team = R"(edge "os" \ core)";
  policy->severity = "page";
  policy->exceptions = {{account_number(3), kNoon + Millis{86'400'000}, "jane", "SEC-12", "pilot"}};
  drifting->policy = policy;
  drifting->shared_accounts = 3;
  drifting->unexpected_accounts = 1;
  drifting->missing_accounts = 1;
  drifting->last_attempt = kNoon + Millis{250};
  drifting->counters = {42, 2, {1, 1}, {0, 0}, 0};
  drifting->drifts = {a_drift(1, DriftKind::unexpected, kNoon - Millis{60'001}),
                      a_drift(2, DriftKind::missing, kNoon - Millis{120'000})};
  board.publish(drifting);
  auto blind = std::make_shared<ImageView>(*a_view("m-blind"));
  blind->state = ImageState::forbidden;
  blind->listing_complete = false;
  blind->last_complete = std::nullopt;
  blind->shared_accounts = blind->unexpected_accounts = blind->missing_accounts = std::nullopt;
  blind->unlisted_accounts = blind->unused_entries = blind->unexpected_count_bound = std::nullopt;
  blind->counters = {7, 7, {}, {}, 0};
  board.publish(blind);
  auto canary = std::make_shared<ImageView>(*a_view("m-canary"));
  auto canary_policy = std::make_shared<ImagePolicy>(*canary->policy);
  canary_policy->canary = true;
  canary_policy->interval = Millis{60'000};
  canary->policy = canary_policy;
  canary->unexpected_accounts = 1;
  board.publish(canary);
  Exposition exposition(board);
  testing::expect_golden("images-text.prom", text(exposition));
  testing::expect_golden("images-openmetrics.prom", text(exposition, TextFormat::openmetrics));
}

}  // namespace
}  // namespace sharedrift
