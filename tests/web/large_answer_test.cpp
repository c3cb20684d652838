#include "web/large_answer.hpp"

#include "support/gunzip.hpp"
#include "web_bench.hpp"

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::joined;

AnswerBody body_of_lines(int lines, bool zip) {
  AnswerWriter out(zip);
  for (int i = 0; i < lines; ++i) {
    out.text() += "line " + std::to_string(i) + "\n";
    out.cut();
  }
  return out.finish();
}

TEST(LargeAnswer, PiecesAreTheTextInBothCodings) {
  for (const int lines : {0, 1, 1'000, 100'000}) {
    const AnswerBody plain = body_of_lines(lines, false);
    const AnswerBody zipped = body_of_lines(lines, true);
    EXPECT_EQ(joined(plain).size(), plain.size);
    EXPECT_EQ(zipped.zipped, lines > 1) << "what is short is not worth it";
    EXPECT_EQ(zipped.zipped ? testing::gunzip(joined(zipped)) : joined(zipped), joined(plain));
    EXPECT_EQ(zipped.tag, plain.tag);
    EXPECT_NE(plain.tag, body_of_lines(lines + 1, false).tag);
  }
  EXPECT_GT(body_of_lines(100'000, false).pieces.size(), 10U);
}

AnswerBody of_size(std::size_t size) {
  AnswerWriter out(false);
  out.text().assign(size, 'x');
  return out.finish();
}

TEST(LargeAnswer, OneThatIsUnderWayIsShared) {
  WallTime now{};
  SharedAnswers answers([&now] { return now; });
  int made = 0;
  const auto get = [&](std::size_t size, Millis at, const std::string& what = "/") {
    now = WallTime{at};
    return answers.get(what, [&] {
      ++made;
      return of_size(size);
    });
  };
  auto first = get(SharedAnswers::kLarge, Millis{0});
  EXPECT_EQ(get(SharedAnswers::kLarge, SharedAnswers::kFresh - Millis{1}), first);
  EXPECT_NE(get(SharedAnswers::kLarge, Millis{0}, "/other"), first);
  EXPECT_EQ(made, 2);
  EXPECT_NE(get(SharedAnswers::kLarge, SharedAnswers::kFresh), first) << "too old";
  first = get(SharedAnswers::kLarge, SharedAnswers::kFresh);
  first.reset();
  EXPECT_NE(get(SharedAnswers::kLarge, SharedAnswers::kFresh), nullptr);
  EXPECT_EQ(made, 5) << "nobody is sent it any more";
}

TEST(LargeAnswer, ACrowdHasOneMadeForASmallPartOfTheTime) {
  constexpr Millis kTook{20};
  WallTime now{Millis{1'000'000}};
  SharedAnswers answers([&now] { return now; });
  const auto get = [&](const std::string& what, Millis took) {
    return answers.get(what, [&] {
      now += took;
      return of_size(100);
    });
  };
  const WallTime begun = now;
  const AnswerBody* first = get("/", kTook).get();
  now = begun + SharedAnswers::kShare * kTook - Millis{1};
  EXPECT_EQ(get("/", kTook).get(), first);
  EXPECT_NE(get("/config", kTook).get(), first);
  now = begun + SharedAnswers::kShare * kTook;
  const auto second = get("/", kTook);
  now = begun;
  EXPECT_NE(get("/", kTook), second) << "the clock was set back";
  const auto quick = get("/quick", Millis{0});
  EXPECT_NE(get("/quick", Millis{0}), quick) << "what takes no time is always made anew";
  const auto slow = get("/slow", SharedAnswers::kFresh);
  EXPECT_NE(get("/slow", kTook), slow) << "as old as that it never gets";
}

TEST(LargeAnswer, WhatIsVeryLongIsNotKeptForWhoMayCome) {
  WallTime now{Millis{1'000'000}};
  SharedAnswers answers([&now] { return now; });
  int made = 0;
  const auto get = [&](std::size_t size) {
    return answers.get(std::to_string(size), [&] {
      ++made;
      now += Millis{20};
      return of_size(size);
    });
  };
  for (const std::size_t size : {SharedAnswers::kMostKept, SharedAnswers::kMostKept + 1}) {
    get(size);
    get(size);
  }
  EXPECT_EQ(made, 3);
}

TEST(LargeAnswer, AllThatAreKeptTakeNoMoreThanOneMay) {
  WallTime now{Millis{1'000'000}};
  SharedAnswers answers([&now] { return now; });
  std::map<std::string, std::weak_ptr<const AnswerBody>> made;
  const auto get = [&](const std::string& what, std::size_t size) {
    made[what] = answers.get(what, [&] {
      now += Millis{20};
      return of_size(size);
    });
  };
  const auto kept = [&made](const std::string& what) { return !made[what].expired(); };
  get("/", SharedAnswers::kMostKept / 2);
  get("/api", SharedAnswers::kMostKept / 2);
  EXPECT_TRUE(kept("/") && kept("/api"));
  get("/config", 100);
  EXPECT_FALSE(kept("/")) << "the oldest goes";
  EXPECT_TRUE(kept("/api") && kept("/config"));
  get("/huge", SharedAnswers::kMostKept + 1);
  EXPECT_FALSE(kept("/huge"));
  EXPECT_TRUE(kept("/api") && kept("/config")) << "what is not kept takes no room";
  now += SharedAnswers::kFresh;
  get("/small", 100);
  EXPECT_FALSE(kept("/api") || kept("/config")) << "too old, though nobody asked for it";
}

TEST(LargeAnswer, WhoAsksWhileItIsMadeWaitsForIt) {
  SharedAnswers answers([] { return WallTime{}; });
  std::promise<void> go;
  std::promise<void> begun;
  std::atomic<int> made{0};
  const auto ask = [&] {
    return answers.get("/", [&] {
      if (++made == 1) begun.set_value();
      go.get_future().wait();
      return of_size(SharedAnswers::kLarge);
    });
  };
  auto first = std::async(std::launch::async, ask);
  begun.get_future().wait();
  auto second = std::async(std::launch::async, ask);
  go.set_value();
  EXPECT_EQ(first.get(), second.get());
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace sharedrift
