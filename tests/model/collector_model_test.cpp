// Lists of up to three pages of two, every order of the answers and every single change between two of
// them: nothing is proven that was never true, and no row is seen that is not raised.
#include "core/listing.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift::testing {
namespace {

constexpr int kPageSize = 2;
using List = std::vector<int>;

AccountId account_of(int number) {
  return *AccountId::parse(std::to_string(number));
}
std::set<AccountId> set_of(const List& list) {
  std::set<AccountId> out;
  for (const int number : list)
    out.insert(account_of(number));
  return out;
}
std::string in_words(const List& list) {
  std::string out;
  for (const int number : list)
    out += " " + std::to_string(number);
  return out.empty() ? " nobody" : out;
}

/// A change of the list between two requests.
struct Change {
  std::string words;
  List after;
};
/// All that one deletion, one insertion or one swap can do.
std::vector<Change> changes_of(const List& list, int next_account) {
  std::vector<Change> all;
  for (std::size_t i = 0; i < list.size(); ++i) {
    List after = list;
    after.erase(after.begin() + static_cast<std::ptrdiff_t>(i));
    all.push_back({std::to_string(list[i]) + " is deleted", after});
  }
  for (std::size_t i = 0; i <= list.size(); ++i) {
    List after = list;
    after.insert(after.begin() + static_cast<std::ptrdiff_t>(i), next_account);
    all.push_back({std::to_string(next_account) + " is inserted at " + std::to_string(i + 1), after});
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (std::size_t j = i + 1; j < list.size(); ++j) {
      List after = list;
      std::swap(after[i], after[j]);
      all.push_back({std::to_string(list[i]) + " and " + std::to_string(list[j]) + " change places", after});
    }
  }
  return all;
}

/// A reading under way.
struct Reading {
  Reading(int accounts, int passes, int changes)
      : collector(*ImageId::parse("m-1"), {kPageSize, 1000, passes}, WallTime{}), changes_left(changes) {
    for (; next_account <= accounts; ++next_account)
      list.push_back(next_account);
    truths.insert(set_of(list));
  }
  ListingCollector collector;
  List list;
  int next_account = 1;
  int changes_left;
  std::vector<int> asked;                ///< and not answered yet
  std::set<std::set<AccountId>> truths;  ///< what was shared at any moment of it
  std::set<AccountId> returned;
  bool first_answer = true;
  std::string words;
};

Page answer(const List& list, int number) {
  Page page;
  const auto from = static_cast<std::size_t>((number - 1) * kPageSize);
  for (std::size_t i = from; i < from + kPageSize && i < list.size(); ++i)
    page.accounts.push_back(account_of(list[i]));
  page.total_count = static_cast<std::int64_t>(list.size());
  page.page_number = number;
  page.page_size = kPageSize;
  page.image_id = "m-1";
  return page;
}

class Readings {
 public:
  /// Takes all ways on from here; ends at the first that breaks the law.
  void follow(Reading reading) {
    for (const int number : reading.collector.next(100))
      reading.asked.push_back(number);
    if (reading.collector.done()) return judge(reading);
    ASSERT_FALSE(reading.asked.empty()) << "it neither asks nor ends\n" << reading.words;
    // Once nothing changes any more the answers are the same in any order, and come as they were asked for.
    const std::size_t orders = reading.changes_left > 0 ? reading.asked.size() : 1;
    for (std::size_t which = 0; which < orders && !::testing::Test::HasFatalFailure(); ++which) {
      serve(reading, which, nullptr);
      if (reading.changes_left == 0 || reading.first_answer) continue;
      for (const Change& change : changes_of(reading.list, reading.next_account)) {
        serve(reading, which, &change);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t proven() const { return proven_; }

 private:
  void serve(Reading reading, std::size_t which, const Change* change) {
    if (change != nullptr) {
      reading.words += "  " + change->words + "\n";
      reading.list = change->after;
      ++reading.next_account;
      --reading.changes_left;
      reading.truths.insert(set_of(reading.list));
    }
    const int number = reading.asked[which];
    reading.asked.erase(reading.asked.begin() + static_cast<std::ptrdiff_t>(which));
    const Page page = answer(reading.list, number);
    reading.returned.insert(page.accounts.begin(), page.accounts.end());
    reading.words += "  page " + std::to_string(number) + " of" + in_words(reading.list) + "\n";
    reading.collector.add(number, page);
    reading.first_answer = false;
    follow(std::move(reading));
  }
  void judge(Reading& reading) {
    ++count_;
    const Observation seen = reading.collector.take();
    const std::set<AccountId> proven(seen.accounts.begin(), seen.accounts.end());
    std::set<AccountId> raised = proven;
    raised.insert(seen.transient.begin(), seen.transient.end());
    ASSERT_EQ(raised, reading.returned) << "a row that was seen is not raised, or one is that was not\n"
                                        << reading.words;
    // A pass that does not contradict itself is no proof of a list of several pages, but must be true all the
    // same.
    const bool sound = seen.complete || seen.failure.reason == Reason::unstable;
    if (!sound || (!seen.complete && seen.passes > 1)) return;
    ++proven_;
    ASSERT_TRUE(reading.truths.contains(proven)) << "this was never shared so, and is believed\n"
                                                 << reading.words;
  }
  std::size_t count_ = 0;
  std::size_t proven_ = 0;
};

void follow_all(const Reading& start, const std::string& what) {
  const auto begin = std::chrono::steady_clock::now();
  Readings readings;
  readings.follow(start);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::cout << "  " << start.list.size() << " accounts, " << what << ": " << readings.count() << " readings, "
            << readings.proven() << " of them believed, " << took.count() << " s\n";
  EXPECT_GT(readings.proven(), 0U);
}

class CollectorModel : public ::testing::TestWithParam<int> {};

/// One pass alone: a change in every gap.
TEST_P(CollectorModel, APassThatAgreesWithItselfWasTrue) {
  follow_all(Reading(GetParam(), 1, 100), "one pass, a change between any two answers");
}

/// All passes until there is a proof or none is left: a few changes, anywhere.
TEST_P(CollectorModel, ProvesNothingThatWasNeverTrue) {
  const int changes = GetParam() <= 4 ? 2 : 1;
  follow_all(Reading(GetParam(), 4, changes), "up to " + std::to_string(changes) + " changes");
}

INSTANTIATE_TEST_SUITE_P(EveryLength, CollectorModel, ::testing::Range(0, 3 * kPageSize + 1));

}  // namespace
}  // namespace sharedrift::testing
