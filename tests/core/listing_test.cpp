#include "core/listing.hpp"

#include "support/page_server.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::account;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::PageServer;
using testing::read_all;

ImageId image() {
  return *ImageId::parse("m-1");
}

TEST(ListingCollector, ProvesAListOfOnePageByThatPage) {
  PageServer server(3);
  const Observation seen = read_all(image(), server);
  EXPECT_TRUE(seen.complete);
  EXPECT_THAT(seen.accounts, ElementsAre(account(1), account(2), account(3)));
  EXPECT_EQ(seen.pages, 1);
  EXPECT_EQ(seen.total_count, 3);
}

TEST(ListingCollector, ProvesAnEmptyList) {
  PageServer server(0);
  const Observation seen = read_all(image(), server);
  EXPECT_TRUE(seen.complete);
  EXPECT_THAT(seen.accounts, IsEmpty());
}

TEST(ListingCollector, LooksBehindAFullPage) {
  PageServer server(100);
  const Observation seen = read_all(image(), server);
  EXPECT_TRUE(seen.complete);
  EXPECT_EQ(seen.pages, 2);
  EXPECT_EQ(seen.passes, 1);
}

TEST(ListingCollector, ReadsALongListTwice) {
  PageServer server(250);
  const Observation seen = read_all(image(), server);
  EXPECT_TRUE(seen.complete);
  EXPECT_EQ(seen.accounts.size(), 250U);
  EXPECT_EQ(seen.passes, 2);
  EXPECT_EQ(seen.pages, 6);
}

TEST(ListingCollector, HandsOutLaterPagesTogether) {
  ListingCollector collector(image(), {}, WallTime{});
  EXPECT_THAT(collector.next(0), IsEmpty());
  EXPECT_THAT(collector.next(128), ElementsAre(1));
  EXPECT_THAT(collector.next(128), IsEmpty());
  PageServer server(450);
  collector.add(1, server.page(1, 100));
  EXPECT_THAT(collector.next(3), ElementsAre(2, 3, 4)) << "no more than there is room for";
  EXPECT_THAT(collector.next(128), ElementsAre(5));
}

TEST(ListingCollector, ASecondPassWaitsForNoPage) {
  ListingCollector collector(image(), {}, WallTime{});
  PageServer server(250);
  for (int requests = 0; requests < 2; ++requests)
    for (const int number : collector.next(128))
      collector.add(number, server.page(number, 100));
  ASSERT_TRUE(collector.pause_before_next());
  for (int i = 0; i < 51; ++i)
    server.remove(0);  // the third page will be empty
  EXPECT_THAT(collector.next(2), ElementsAre(1, 2)) << "no more than there is room for";
  EXPECT_THAT(collector.next(128), ElementsAre(3)) << "as far as the first pass went";
  for (const int number : {3, 2, 1})
    collector.add(number, server.page(number, 100));
  ASSERT_TRUE(collector.pause_before_next());
  EXPECT_THAT(collector.next(128), ElementsAre(1, 2)) << "the second showed where the list ends now";
  for (const int number : {1, 2})
    collector.add(number, server.page(number, 100));
  ASSERT_TRUE(collector.done());
  const Observation seen = collector.take();
  EXPECT_TRUE(seen.complete) << "the second pass was sound, though it asked behind the end";
  EXPECT_EQ(seen.accounts.size(), 199U);
  EXPECT_EQ(seen.transient.size(), 51U);
}

TEST(ListingCollector, DoesNotAskForWhatALieClaims) {
  ListingCollector collector(image(), {}, WallTime{});
  PageServer server(100);
  server.lie = 1'000'000'000;
  for (const int number : collector.next(128))
    collector.add(number, server.page(number, 100));
  EXPECT_LE(collector.next(128).size(), 128U);
}

TEST(ListingCollector, AsksNoFurtherThanAPageThatShowsTheEnd) {
  ListingCollector collector(image(), {}, WallTime{});
  PageServer server(150);
  server.lie = 300;
  for (const int number : collector.next(1))
    collector.add(number, server.page(number, 100));
  ASSERT_THAT(collector.next(2), ElementsAre(2, 3));
  collector.add(2, server.page(2, 100));
  EXPECT_THAT(collector.next(128), IsEmpty()) << "TotalCount claims five, the second shows the end";
}

TEST(ListingCollector, PausesBetweenPassesOnly) {
  ListingCollector collector(image(), {}, WallTime{});
  PageServer server(150);
  EXPECT_FALSE(collector.pause_before_next());
  for (const int number : collector.next(128))
    collector.add(number, server.page(number, 100));
  EXPECT_FALSE(collector.pause_before_next());
  for (const int number : collector.next(128))
    collector.add(number, server.page(number, 100));
  EXPECT_FALSE(collector.done());
  EXPECT_TRUE(collector.pause_before_next());
}

TEST(ListingCollector, DoesNotBelieveATotalCountThatDisagrees) {
  for (const int lie : {-1, 1, 5}) {
    PageServer server(3);
    server.lie = lie;
    const Observation seen = read_all(image(), server);
    EXPECT_FALSE(seen.complete) << lie;
    EXPECT_EQ(seen.failure.reason, Reason::count_mismatch);
    EXPECT_EQ(seen.accounts.size(), 3U) << "what was seen still raises";
    EXPECT_EQ(seen.unlisted(), std::max(lie, 0));
  }
}

TEST(ListingCollector, EveryPageMustSayHowManyThereAre) {
  for (const int mute : {1, 2}) {
    for (const std::optional<std::int64_t> count :
         {std::optional<std::int64_t>{}, std::optional<std::int64_t>{-1}}) {
      PageServer server(150);
      server.tamper = [mute, count](int number, Page& page) {
        if (number == mute) page.total_count = count;
      };
      const Observation seen = read_all(image(), server);
      EXPECT_FALSE(seen.complete) << mute;
      EXPECT_EQ(seen.failure.reason, Reason::count_mismatch);
    }
  }
}

TEST(ListingCollector, ReadsOnWhereTotalCountIsTooSmall) {
  PageServer server(250);
  server.lie = -249;
  const Observation seen = read_all(image(), server);
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.accounts.size(), 250U);
}

TEST(ListingCollector, EndsOnAnEndlessList) {
  PageServer server(250);
  server.endless = true;
  const Observation seen = read_all(image(), server);
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.failure.reason, Reason::too_large);
  EXPECT_EQ(seen.pages, 1000);
}

TEST(ListingCollector, RowsAreCappedWhateverAPageHolds) {
  ListingCollector collector(image(), {}, WallTime{});
  std::size_t rows = 0;
  int next = 0;
  for (int turn = 0; turn < 100 && !collector.done(); ++turn) {
    for (const int number : collector.next(128)) {
      Page page;
      for (int i = 0; i < 60'000; ++i)
        page.accounts.push_back(account(++next));
      page.total_count = 90'000'000;
      page.request_id = "R-" + std::to_string(number);
      rows += page.accounts.size();
      collector.add(number, std::move(page));
      if (collector.done()) break;
    }
  }
  ASSERT_TRUE(collector.done());
  EXPECT_EQ(rows, 120'000U) << "a thousand pages of a hundred, and what one answer can hold";
  const Observation seen = collector.take();
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.failure.reason, Reason::too_large);
  EXPECT_EQ(seen.failure.request_id, "R-2");
  EXPECT_EQ(seen.accounts.size(), rows) << "what was seen still raises";
}

TEST(ListingCollector, RowsBehindAPageThatIsNotFullAreNoProof) {
  PageServer server(200);
  server.tamper = [](int number, Page& page) {
    if (number == 2) page.accounts.pop_back();
    if (number == 3) page.accounts = {account(200)};
  };
  for (const bool any_order : {false, true}) {
    testing::SeededRandom random(3);
    const Observation seen = read_all(image(), server, any_order ? &random : nullptr);
    EXPECT_FALSE(seen.complete) << "the count is right, the pages are not";
  }
}

TEST(ListingCollector, EndsWhenPagesRepeat) {
  PageServer server(250);
  server.repeat_first_page = true;
  const Observation seen = read_all(image(), server);
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.failure.reason, Reason::duplicate_row);
  EXPECT_LE(seen.pages, 20);
}

TEST(ListingCollector, RefusesEchoesOfSomethingElse) {
  const auto with = [](const std::function<void(Page&)>& change) {
    PageServer server(2);
    server.tamper = [change](int /*number*/, Page& page) { change(page); };
    return read_all(image(), server);
  };
  const Observation other = with([](Page& p) { p.image_id = "m-other"; });
  EXPECT_EQ(other.failure.reason, Reason::echo_mismatch);
  EXPECT_THAT(other.accounts, IsEmpty()) << "rows of another image are not rows of this one";
  for (const auto& change : {std::function<void(Page&)>([](Page& p) { p.page_number = 2; }),
                             std::function<void(Page&)>([](Page& p) { p.page_size = 0; }),
                             std::function<void(Page&)>([](Page& p) { p.page_size = 10; })}) {
    const Observation seen = with(change);
    EXPECT_FALSE(seen.complete);
    EXPECT_EQ(seen.failure.reason, Reason::echo_mismatch);
    EXPECT_EQ(seen.accounts.size(), 2U);
  }
}

TEST(ListingCollector, APageOfMoreRowsThanWereAskedForIsNoProof) {
  PageServer server(1);
  server.tamper = [](int number, Page& page) {
    page.total_count = 101;
    for (int row = 2; number == 1 && row <= 101; ++row)
      page.accounts.push_back(account(row));
  };
  const Observation seen = read_all(image(), server);
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.failure.reason, Reason::echo_mismatch);
  EXPECT_EQ(seen.accounts.size(), 101U) << "every row there is raises";
}

TEST(ListingCollector, ReadsToTheEndWhenTheServerUsesSmallerPages) {
  for (const int size : {1, 10}) {
    PageServer server(35);
    server.page_size_cap = size;
    const Observation seen = read_all(image(), server);
    EXPECT_FALSE(seen.complete);
    EXPECT_EQ(seen.failure.reason, Reason::echo_mismatch);
    EXPECT_EQ(seen.accounts.size(), 35U) << "every row there is raises";
  }
}

TEST(ListingCollector, KeepsTheIdOfEachAnswerAsEvidence) {
  ListingCollector collector(image(), {}, WallTime{});
  PageServer server(250);
  for (int requests = 1; !collector.done(); ++requests) {
    const std::vector<int> numbers = collector.next(1);
    ASSERT_EQ(numbers.size(), 1U);
    Page page = server.page(numbers.front(), 100);
    page.request_id = requests == 5 ? "" : "R" + std::to_string(requests);
    collector.add(numbers.front(), std::move(page));
  }
  EXPECT_THAT(collector.take().request_ids, ElementsAre("R1", "R2", "R3", "R4", "R6"))
      << "the fifth had none";
}

TEST(ListingCollector, NamesTheAnswerThatContradictsTheOthers) {
  PageServer server(250);
  server.tamper = [](int number, Page& page) {
    if (number == 2) page.page_number = 7;
  };
  EXPECT_EQ(read_all(image(), server).failure.request_id, "R2");
}

TEST(ListingCollector, IsIncompleteForARowItCannotRead) {
  PageServer server(2);
  server.tamper = [](int /*number*/, Page& page) { page.unusable_rows = 1; };
  const Observation seen = read_all(image(), server);
  EXPECT_EQ(seen.failure.reason, Reason::bad_row);
  EXPECT_EQ(seen.accounts.size(), 2U);
}

TEST(ListingCollector, KeepsWhatWasSeenWhenAPageFails) {
  ListingCollector collector(image(), {}, WallTime{});
  PageServer server(150);
  for (const int number : collector.next(128))
    collector.add(number, server.page(number, 100));
  ASSERT_THAT(collector.next(128), ElementsAre(2));
  Failure failure;
  failure.reason = Reason::timeout;
  collector.fail(failure);
  ASSERT_TRUE(collector.done());
  collector.add(2, server.page(2, 100));  // its answer comes too late
  const Observation seen = collector.take();
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.failure.reason, Reason::timeout);
  EXPECT_EQ(seen.pages, 1);
  EXPECT_EQ(seen.accounts.size(), 100U);
  EXPECT_EQ(seen.unlisted(), 50);
}

TEST(ListingCollector, TellsWhatWasSeenOnceFromWhatIsThere) {
  PageServer server(150);
  int requests = 0;
  server.before = [&requests](PageServer& s) {
    if (++requests == 3) s.remove(0);  // between the first and the second pass
  };
  const Observation seen = read_all(image(), server);
  EXPECT_TRUE(seen.complete);
  EXPECT_EQ(seen.accounts.size(), 149U);
  EXPECT_THAT(seen.transient, ElementsAre(account(1)));
}

TEST(ListingCollector, GivesUpOnAListThatNeverStandsStill) {
  PageServer server(150);
  int requests = 0;
  server.before = [&requests](PageServer& s) {
    if (++requests % 2 == 1) {  // each pass is sound in itself, no two agree
      s.remove(0);
      s.append();
    }
  };
  const Observation seen = read_all(image(), server);
  EXPECT_FALSE(seen.complete);
  EXPECT_EQ(seen.passes, 4);
  EXPECT_EQ(seen.failure.reason, Reason::unstable);
}

// Every placement of one change (delete, insert, swap) into any gap between two requests, over many sizes: a
// listing called complete must be a set that was true at some moment, and no row that was returned may be
// lost.
TEST(ListingCollectorProperty, OneChangeAnywhereNeverYieldsAFalseProof) {
  for (const int size : {100, 101, 150, 201}) {
    for (int gap = 1; gap <= 9; ++gap) {
      for (int kind = 0; kind < 3; ++kind) {
        for (const std::size_t where : {std::size_t{0}, std::size_t{50}, std::size_t{98}}) {
          PageServer server(size);
          int requests = 0;
          server.before = [&requests, gap, kind, where](PageServer& s) {
            if (++requests != gap) return;
            if (kind != 1) s.remove(where);
            if (kind == 1) s.insert_front();
            if (kind == 2) s.append();
          };
          const Observation seen = read_all(image(), server);
          EXPECT_TRUE(server.every_returned_row_is_in(seen));
          if (seen.complete) {
            EXPECT_TRUE(server.was_true_once(seen.accounts))
                << size << ' ' << gap << ' ' << kind << ' ' << where;
          }
        }
      }
    }
  }
}

// Random servers that delete, insert, swap, duplicate, reorder, truncate, repeat and lie, all at once.
TEST(ListingCollectorProperty, AdversarialServersLoseNoRow) {
  testing::SeededRandom random(7);
  for (int round = 0; round < 400; ++round) {
    PageServer server(static_cast<int>(random.next() % 350));
    server.before = [&random](PageServer& s) { s.random_change(random); };
    server.tamper = [&random](int /*number*/, Page& page) { testing::random_damage(page, random); };
    const Observation seen = read_all(image(), server, round % 2 == 0 ? nullptr : &random);
    ASSERT_TRUE(server.every_returned_row_is_in(seen)) << "round " << round;
    ASSERT_LE(seen.passes, 4);
  }
}

TEST(ListingCollectorProperty, OrderOfAnswersDoesNotMatter) {
  testing::SeededRandom random(11);
  for (int round = 0; round < 200; ++round) {
    const int size = static_cast<int>(random.next() % 700);
    PageServer server(size);
    PageServer again(size);
    const Observation in_order = read_all(image(), server);
    const Observation shuffled = read_all(image(), again, &random);
    EXPECT_TRUE(in_order.complete);
    EXPECT_TRUE(shuffled.complete);
    EXPECT_EQ(in_order.accounts, shuffled.accounts);
  }
}

}  // namespace
}  // namespace sharedrift
