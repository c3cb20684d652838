#include "poll/repeated_answers.hpp"

#include "support/fake_source.hpp"
#include "support/fleet.hpp"
#include "support/page_server.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

Observation listed(std::vector<std::string> request_ids) {
  Observation out = testing::listed(testing::accounts({1}));
  out.request_ids = std::move(request_ids);
  return out;
}

TEST(RepeatedAnswers, AnAnswerThatSomebodyKeptProvesNothing) {
  RepeatedAnswers answers;
  const ImageId image = *ImageId::parse("m-1");
  EXPECT_FALSE(answers.refuse(image, listed({"A", "B"})));
  for (int poll = 0; poll < 2; ++poll) {
    const auto refused = answers.refuse(image, listed({"A", "B"}));
    ASSERT_TRUE(refused);
    EXPECT_FALSE(refused->complete);
    EXPECT_EQ(refused->accounts, testing::accounts({1})) << "what it shows was there";
    EXPECT_EQ(refused->failure.reason, Reason::bad_payload);
    EXPECT_EQ(refused->failure.request_id, "A") << "the answer that came before";
  }
  EXPECT_FALSE(answers.refuse(image, listed({"C", "D"})));
  EXPECT_TRUE(answers.refuse(image, listed({"A", "E"}))) << "a part of it is old";
  EXPECT_TRUE(answers.refuse(image, listed({"F", "F"}))) << "two passes that are one answer";
  Observation broken = listed({"G"});
  broken.complete = false;
  EXPECT_FALSE(answers.refuse(image, broken)) << "it proves nothing itself";
  EXPECT_TRUE(answers.refuse(image, listed({"G"}))) << "and its answer came before";
}

TEST(RepeatedAnswers, AnyNumberOfKeptAnswersInTurnProvesNothing) {
  constexpr std::size_t kMost = RepeatedAnswers::kRemembered;
  for (const std::size_t kept : {std::size_t{2}, std::size_t{3}, std::size_t{50}, kMost}) {
    SCOPED_TRACE(kept);
    RepeatedAnswers answers;
    const ImageId image = *ImageId::parse("m-1");
    for (std::size_t poll = 0; poll < 3 * kept; ++poll)
      EXPECT_EQ(answers.refuse(image, listed({std::to_string(poll % kept)})).has_value(), poll >= kept);
  }
}

TEST(RepeatedAnswers, WhatIsRememberedHasABound) {
  RepeatedAnswers answers;
  const ImageId image = *ImageId::parse("m-1");
  for (std::size_t poll = 0; poll <= RepeatedAnswers::kRemembered; ++poll)
    EXPECT_FALSE(answers.refuse(image, listed({std::to_string(poll)})));
  EXPECT_TRUE(answers.refuse(image, listed({"1"})));
  EXPECT_FALSE(answers.refuse(image, listed({"0"}))) << "the oldest is forgotten";
}

/// What a collector makes of a list of `pages` pages, of which a cache has each answer `kept` from before:
/// its RequestId is then that of the reading named.
Observation read_long(int pages, const std::function<std::string(int pass, int page)>& answered_by) {
  testing::PageServer server(pages * 100 - 50);
  ListingCollector collector(*ImageId::parse("m-1"), {}, WallTime{});
  for (int asked = 0; !collector.done(); ++asked) {
    const int number = collector.next(1).front();
    Page page = server.page(number, 100);
    page.request_id = answered_by(asked / pages, number) + "-" + std::to_string(number);
    collector.add(number, std::move(page));
  }
  return collector.take();
}

TEST(RepeatedAnswers, NoPassOfALongListMayBeAnEarlierOne) {
  constexpr int kPages = 50;
  const ImageId image = *ImageId::parse("m-1");
  const auto reading = [](const std::string& name) {
    return [name](int pass, int /*page*/) { return name + std::to_string(pass); };
  };
  RepeatedAnswers answers;
  const Observation first = read_long(kPages, reading("a"));
  ASSERT_TRUE(first.complete);
  EXPECT_FALSE(answers.refuse(image, first));
  EXPECT_TRUE(answers.refuse(image, read_long(kPages, [](int /*pass*/, int /*page*/) { return "b"; })))
      << "the second pass is the first one";
  EXPECT_TRUE(answers.refuse(image, read_long(kPages,
                                              [](int pass, int page) {
                                                return pass == 1 && page == 3 ? "c0"
                                                                              : "c" + std::to_string(pass);
                                              })))
      << "one page of it is";
  EXPECT_TRUE(answers.refuse(
      image, read_long(kPages, [](int pass, int /*page*/) { return pass == 0 ? "a0" : "d1"; })))
      << "the first pass is that of an earlier poll";
  EXPECT_FALSE(answers.refuse(image, read_long(kPages, reading("e"))));
}

TEST(RepeatedAnswers, OfALongListFourReadingsAreRemembered) {
  RepeatedAnswers answers;
  const ImageId image = *ImageId::parse("m-1");
  const auto reading = [](int poll) {
    std::vector<std::string> ids;
    for (int page = 0; page < 1000; ++page)
      ids.push_back(std::to_string(poll) + "-" + std::to_string(page));
    return listed(ids);
  };
  for (int poll = 0; poll < 5; ++poll)
    EXPECT_FALSE(answers.refuse(image, reading(poll)));
  Observation broken = listed({});
  broken.complete = false;
  EXPECT_FALSE(answers.refuse(image, broken)) << "no answer came";
  EXPECT_TRUE(answers.refuse(image, listed({"1-0"})));
  EXPECT_FALSE(answers.refuse(image, reading(0))) << "the oldest is forgotten";
}

TEST(RepeatedAnswers, AReadingThatBreaksOffForgetsNothingOfALongList) {
  RepeatedAnswers answers;
  const ImageId image = *ImageId::parse("m-1");
  std::vector<std::string> pages;
  for (int page = 0; page < 400; ++page)
    pages.push_back(std::to_string(page));
  EXPECT_FALSE(answers.refuse(image, listed(pages)));
  for (const std::vector<std::string>& heard : {std::vector<std::string>{}, {"a"}, {"b", "b"}}) {
    Observation broken = listed(heard);
    broken.complete = false;
    EXPECT_FALSE(answers.refuse(image, broken));
  }
  EXPECT_TRUE(answers.refuse(image, listed({"0", "new"}))) << "the first page of all is known";
}

TEST(RepeatedAnswers, AnImageThatIsGoneByAKeptAnswerIsNotProvenToBe) {
  RepeatedAnswers answers;
  const ImageId image = *ImageId::parse("m-1");
  Observation gone = listed({"A"});
  gone.complete = false;
  gone.gone = true;
  EXPECT_FALSE(answers.refuse(image, gone));
  const auto refused = answers.refuse(image, gone);
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->gone);
}

TEST(RepeatedAnswers, AWalkThatSomebodyKeptProvesNothing) {
  RepeatedAnswers answers;
  InventoryListing walked;
  walked.complete = true;
  walked.request_ids = {"A"};
  EXPECT_FALSE(answers.refuse("default", walked));
  EXPECT_FALSE(answers.refuse("other", walked));
  const auto refused = answers.refuse("default", walked);
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->complete);
  EXPECT_EQ(refused->failure.reason, Reason::bad_payload);
  EXPECT_NE(refused->failure.detail.find("exclude the endpoint from that cache"), std::string::npos);
}

TEST(RepeatedAnswers, ForgetsWhatTheTrackerForgets) {
  RepeatedAnswers answers;
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-1"), listed({"A"})));
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-2"), listed({"A"})));
  answers.forget({*ImageId::parse("m-2")});
  EXPECT_TRUE(answers.refuse(*ImageId::parse("m-1"), listed({"A"})));
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-2"), listed({"A"})));
}

TEST(RepeatedAnswers, OfAnotherImageOrWithoutIdsTheyAreNews) {
  RepeatedAnswers answers;
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-1"), listed({"A"})));
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-2"), listed({"A"})));
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-1"), listed({})));
  EXPECT_FALSE(answers.refuse(*ImageId::parse("m-1"), listed({})));
}

}  // namespace
}  // namespace sharedrift
