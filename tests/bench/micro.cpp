// What one of each costs: signing a request, decoding an answer, a step of the tracker, the metrics page,
// loading a configuration. `./dev bench` compares the figures with those of tests/bench/baseline.json.
#include "aliyun/answer.hpp"
#include "aliyun/ens_client.hpp"
#include "aliyun/signer.hpp"
#include "app/board.hpp"
#include "app/exposition.hpp"
#include "config/config_loader.hpp"
#include "core/listing.hpp"
#include "support/fleet.hpp"
#include "support/views.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

namespace sharedrift {
namespace {

using testing::account_number;

const WallTime kNoon{Millis{1'795'000'000'000}};

std::string image_name(std::int64_t number) {
  return "m-bench-" + std::to_string(number);
}

void sign_request(benchmark::State& state) {
  EnsOptions options;
  options.scheme = "https";
  options.host = "ens.aliyuncs.com";
  const ImageId image = *ImageId::parse("m-5s7qotzavwbrnzaqh4unm0000");
  Credentials key;
  key.access_key_id = "LTAI5tBenchBenchBenchBen";
  key.access_key_secret = Secret("BenchSecretBenchSecretBenchSec");
  for (auto _ : state) {
    const auto request = signed_request(describe_share_permission(options, image, 1, std::nullopt), key,
                                        "0123456789abcdef0123456789abcdef", kNoon);
    if (!request) state.SkipWithError("not signed");
    benchmark::DoNotOptimize(request);
  }
}
BENCHMARK(sign_request);

HttpResponse page_answer(std::int64_t rows) {
  std::string body = R"({"ImageId":"m-bench-1","PageNumber":1,"PageSize":100,"TotalCount":)" +
                     std::to_string(rows) + R"(,"Accounts":{"Account":[)";
  for (std::int64_t i = 0; i < rows; ++i) {
    body += (i == 0 ? "" : ",") + std::string(R"({"AliyunUid":")") +
            std::string(account_number(static_cast<std::uint64_t>(i)).str()) + "\"}";
  }
  body += R"(]},"RequestId":"5A6B7C8D-0000-1111-2222-333344445555"})";
  return {200, {}, std::move(body)};
}

void decode_answer(benchmark::State& state) {
  const HttpResponse answer = page_answer(state.range(0));
  for (auto _ : state) {
    const auto root = open_answer(answer);
    const auto page = decode_page(*root);
    if (!page || page->accounts.size() != static_cast<std::size_t>(state.range(0))) {
      state.SkipWithError("not decoded");
    }
    benchmark::DoNotOptimize(page);
  }
}
BENCHMARK(decode_answer)->Arg(3)->Arg(100);

/// Two passes over a list of many pages.
void prove_long_list(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const ListingLimits limits;
  const auto page_size = static_cast<std::size_t>(limits.page_size);
  for (auto _ : state) {
    ListingCollector collector(*ImageId::parse("m-bench-1"), limits, kNoon);
    while (!collector.done()) {
      for (const int number : collector.next()) {
        Page page;
        page.total_count = state.range(0);
        const std::size_t first = static_cast<std::size_t>(number - 1) * page_size;
        for (std::size_t i = first; i < std::min(rows, first + page_size); ++i)
          page.accounts.push_back(account_number(i));
        collector.add(number, std::move(page));
      }
    }
    if (!collector.take().complete) state.SkipWithError("not proven");
  }
}
BENCHMARK(prove_long_list)->Arg(10'000)->Unit(benchmark::kMicrosecond);

/// A complete listing that changes nothing, and the view of it: what nearly every poll is.
void tracker_step(benchmark::State& state) {
  std::vector<testing::ImageBuilder> images;
  for (std::int64_t i = 0; i < state.range(0); ++i)
    images.push_back(testing::an_image(image_name(i)).allowing({1, 2}).requiring({3}));
  testing::Fleet fleet(images);
  const Observation same = testing::listed({1, 2, 3});
  fleet.apply_all(same);
  std::int64_t next = 0;
  for (auto _ : state) {
    const std::string name = image_name(next);
    benchmark::DoNotOptimize(fleet.apply(name, same));
    benchmark::DoNotOptimize(fleet.view(name));
    next = (next + 1) % state.range(0);
  }
}
BENCHMARK(tracker_step)->Arg(1'000)->Arg(50'000);

void fill(Board& board, std::int64_t images) {
  for (std::int64_t i = 0; i < images; ++i)
    board.publish(testing::a_view(image_name(i)));
}

/// A scrape of a fleet in which nothing happened since the last one.
void scrape_unchanged(benchmark::State& state, Encoding encoding) {
  Board board;
  fill(board, state.range(0));
  Exposition exposition(board);
  for (auto _ : state)
    benchmark::DoNotOptimize(exposition.page(TextFormat::prometheus, encoding));
}
BENCHMARK_CAPTURE(scrape_unchanged, plain, Encoding::identity)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(scrape_unchanged, gzip, Encoding::gzip)->Arg(1'000)->Arg(10'000);

/// A scrape after an ordinary poll of one image: its counter and its times are new.
void scrape_after_poll(benchmark::State& state, Encoding encoding) {
  Board board;
  fill(board, state.range(0));
  Exposition exposition(board);
  std::uint64_t polls = 1;
  for (auto _ : state) {
    auto view = testing::a_view(image_name(0));
    view->counters.listings = ++polls;
    view->last_attempt = view->last_complete = kNoon + Millis{static_cast<std::int64_t>(polls)};
    board.publish(std::move(view));
    benchmark::DoNotOptimize(exposition.page(TextFormat::prometheus, encoding));
  }
}
BENCHMARK_CAPTURE(scrape_after_poll, plain, Encoding::identity)
    ->Arg(1'000)
    ->Arg(10'000)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(scrape_after_poll, gzip, Encoding::gzip)
    ->Arg(1'000)
    ->Arg(10'000)
    ->Unit(benchmark::kMicrosecond);

void render_whole_page(benchmark::State& state) {
  Board board;
  fill(board, state.range(0));
  for (auto _ : state)
    benchmark::DoNotOptimize(Exposition(board).page(TextFormat::prometheus, Encoding::identity));
}
BENCHMARK(render_whole_page)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void load_config_text(benchmark::State& state) {
  std::string text = "images:\n";
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    text += "  - id: " + image_name(i) + "\n    required: [\"1700000000000001\"]\n" +
            "    allowed: [\"1700000000000002\", \"1700000000000003\"]\n";
  }
  for (auto _ : state) {
    const auto config = parse_config(text, "bench.yml");
    if (!config) state.SkipWithError("refused");
    benchmark::DoNotOptimize(config);
  }
}
BENCHMARK(load_config_text)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sharedrift

BENCHMARK_MAIN();
