#include "metrics/exposition.hpp"
#include "support/exposition_parser.hpp"
#include "support/gunzip.hpp"
#include "support/page.hpp"
#include "support/views.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

/// What the exposition keeps from one page to the next.
namespace sharedrift {
namespace {

using testing::a_view;
using testing::account_number;
using testing::ExpositionParser;
using testing::page_of;
using testing::samples_of;

constexpr WallTime kNoon{Millis{1'795'000'000'000}};

std::string text(Exposition& exposition, TextFormat format) {
  return page_of(exposition, format);
}

/// Changes one thing, as polls and reloads do.
void change(ViewStore& store, testing::SeededRandom& random, int round) {
  const Fleet fleet = store.fleet();
  const ViewPtr some = fleet.views.empty() ? nullptr : fleet.views.at(random.next() % fleet.views.size());
  const std::uint64_t action = random.next() % 10;
  if (action == 0 && some != nullptr) {
    store.remove(some->policy->id);
  } else if (action == 1) {
    AccountNames names = *fleet.account_names;
    names[account_number(random.next() % 12)] =
        testing::hostile_texts().at(random.next() % testing::hostile_texts().size());
    store.set_account_names(names);
  } else if (action < 5 && some != nullptr) {  // only times and counters, as most polls bring it
    auto view = std::make_shared<ImageView>(*some);
    ++view->counters.listings;
    view->last_poll = kNoon + Millis{round};
    store.publish(view);
  } else {
    store.publish(random_view(random, "m-" + std::to_string(random.next() % 30)));
  }
}
void empty(ViewStore& store) {
  for (const ViewPtr& view : store.fleet().views)
    store.remove(view->policy->id);
}

/// What prometheus-cpp writes, but each number in its shortest spelling: the library writes 9.7 as
/// 9.699999999999999 in one version and 100000 as 1e+05 in another.
std::string slow_text(const ViewStore& store) {
  std::istringstream lines(prometheus::TextSerializer().Serialize(store.Collect()));
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) {
      const std::size_t number = line.rfind(' ') + 1;
      const double value = std::stod(line.substr(number));
      line.resize(number);
      append_number(line, value);
    }
    out += line + "\n";
  }
  return out;
}

TEST(Exposition, WritesWhatPrometheusCppWritesOfTheSameFleetThroughEveryChange) {
  testing::SeededRandom random(7);
  ViewStore store;
  Exposition exposition(store);  // lives through all changes, so that nothing old may stay
  for (int round = 0; round < 400; ++round) {
    if (round % 50 == 49) empty(store);
    change(store, random, round);
    for (const TextFormat format : {TextFormat::prometheus, TextFormat::openmetrics}) {
      const bool openmetrics = format == TextFormat::openmetrics;
      const std::string page = slow_text(store);
      const std::string expected = openmetrics ? testing::as_openmetrics(page) : page;
      // Not every change is seen by a scrape of its own.
      if (random.next() % 3 != 0) {
        ASSERT_EQ(text(exposition, format), expected) << "round " << round;
      }
      if (random.next() % 3 != 0) {
        ASSERT_EQ(testing::gunzip(page_of(exposition, format, Encoding::gzip)), expected)
            << "round " << round;
      }
      if (round % 10 != 0) continue;
      ASSERT_NO_THROW(ExpositionParser::parse(expected, openmetrics)) << "round " << round;
    }
  }
}

std::size_t shared_pieces(const MetricsPage& a, const MetricsPage& b) {
  return static_cast<std::size_t>(std::count_if(a.pieces.begin(), a.pieces.end(), [&b](const auto& piece) {
    return std::find(b.pieces.begin(), b.pieces.end(), piece) != b.pieces.end();
  }));
}

TEST(Exposition, MakesOnlyTheFamiliesAnewThatChanged) {
  ViewStore store;
  testing::SeededRandom random(5);
  for (int i = 0; i < 200; ++i) {  // ids that do not compress, so that a family is a piece of its own
    std::string id = "m-";
    while (id.size() < 100)
      id += "0123456789abcdefghijklmnopqrstuvwxyz"[random.next() % 36];
    store.publish(a_view(id));
  }
  const ViewPtr seventh = store.fleet().views[7];
  Exposition exposition(store);
  for (const Encoding encoding : {Encoding::identity, Encoding::gzip}) {
    const MetricsPage before = exposition.page(TextFormat::openmetrics, encoding);
    const std::size_t kept = shared_pieces(before, exposition.page(TextFormat::openmetrics, encoding));
    EXPECT_GT(kept, 10U);
    auto view = std::make_shared<ImageView>(*seventh);
    ++view->counters.flaps;
    store.publish(view);
    EXPECT_EQ(shared_pieces(before, exposition.page(TextFormat::openmetrics, encoding)), kept - 2)
        << "the family, and what is of the fleet";
    store.publish(seventh);
  }
}

TEST(Exposition, ScrapesWhileImagesChangeSeeWholePages) {
  ViewStore store;
  for (int i = 0; i < 20; ++i)
    store.publish(a_view("m-" + std::to_string(i)));
  Exposition exposition(store);
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
        std::string page = page_of(exposition, TextFormat::openmetrics, encoding);
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
    store.publish(view);
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
