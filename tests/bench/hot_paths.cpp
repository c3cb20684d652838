#include "bench/hot_paths.hpp"

#include "aliyun/answer.hpp"
#include "aliyun/ens_client.hpp"
#include "aliyun/signer.hpp"
#include "config/config_loader.hpp"
#include "core/listing.hpp"
#include "metrics/exposition.hpp"
#include "support/fleet.hpp"
#include "support/views.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sharedrift {

namespace {

using testing::account_number;

const WallTime kNoon{Millis{1'795'000'000'000}};

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

std::string image_name(std::size_t number) {
  return "m-bench-" + std::to_string(number);
}

HotPath::Step sign_request() {
  EnsOptions options;
  options.scheme = "https";
  options.host = "ens.aliyuncs.com";
  Credentials key;
  key.access_key_id = "LTAI5tBenchBenchBenchBen";
  key.access_key_secret = Secret("BenchSecretBenchSecretBenchSec");
  return [options, key, image = *ImageId::parse("m-5s7qotzavwbrnzaqh4unm0000")] {
    const auto request = signed_request(describe_share_permission(options, image, 1, std::nullopt), key,
                                        "0123456789abcdef0123456789abcdef", kNoon);
    require(request && request->headers.size() == 7, "not signed");
  };
}

HttpResponse page_answer(std::size_t rows) {
  std::string body = R"({"ImageId":"m-bench-1","PageNumber":1,"PageSize":100,"TotalCount":)" +
                     std::to_string(rows) + R"(,"Accounts":{"Account":[)";
  for (std::size_t i = 0; i < rows; ++i) {
    body +=
        (i == 0 ? "" : ",") + std::string(R"({"AliyunUid":")") + std::string(account_number(i).str()) + "\"}";
  }
  body += R"(]},"RequestId":"5A6B7C8D-0000-1111-2222-333344445555"})";
  return {200, {}, std::move(body)};
}

HotPath::Step decode_answer(std::size_t rows) {
  return [rows, answer = page_answer(rows)] {
    const auto opened = open_answer(answer);
    require(opened.has_value(), "not read");
    const auto page = decode_page(opened->root());
    require(page && page->accounts.size() == rows, "not decoded");
  };
}

/// Two passes over a list of many pages.
HotPath::Step prove_long_list(std::size_t rows) {
  return [rows] {
    const ListingLimits limits;
    const auto page_size = static_cast<std::size_t>(limits.page_size);
    ListingCollector collector(*ImageId::parse("m-bench-1"), limits, kNoon);
    while (!collector.done()) {
      for (const int number : collector.next(128)) {
        Page page;
        page.total_count = static_cast<std::int64_t>(rows);
        const std::size_t first = static_cast<std::size_t>(number - 1) * page_size;
        for (std::size_t i = first; i < std::min(rows, first + page_size); ++i)
          page.accounts.push_back(account_number(i));
        collector.add(number, std::move(page));
      }
    }
    require(collector.take().complete, "not proven");
  };
}

/// A complete listing that changes nothing, and the view of it: what nearly every poll is.
HotPath::Step tracker_step(std::size_t images) {
  std::vector<testing::ImageBuilder> builders;
  for (std::size_t i = 0; i < images; ++i)
    builders.push_back(testing::an_image(image_name(i)).allowing({1, 2}).requiring({3}));
  const auto fleet = std::make_shared<testing::Fleet>(builders);
  const Observation same = testing::listed({1, 2, 3});
  fleet->apply_all(same);
  return [fleet, same, images, next = std::size_t{0}]() mutable {
    const std::string name = image_name(next);
    fleet->apply(name, same);
    require(fleet->view(name)->state == ImageState::ok, "not in order");
    next = (next + 1) % images;
  };
}

/// Views with an exposition before them that lives as long.
struct Page {
  explicit Page(std::size_t images) {
    for (std::size_t i = 0; i < images; ++i)
      views.publish(testing::a_view(image_name(i)));
  }
  void scrape(Encoding encoding) {
    require(exposition.page(TextFormat::prometheus, encoding).pieces.size() > 2, "no page");
  }
  ViewStore views;
  Exposition exposition{views};
};

/// Of a fleet in which nothing happened since the last scrape.
HotPath::Step scrape_unchanged(std::size_t images, Encoding encoding) {
  return [page = std::make_shared<Page>(images), encoding] { page->scrape(encoding); };
}

/// After an ordinary poll of one image: its counter and its times are new.
HotPath::Step scrape_after_poll(std::size_t images, Encoding encoding) {
  return [page = std::make_shared<Page>(images), encoding, polls = std::uint64_t{1}]() mutable {
    auto view = testing::a_view(image_name(0));
    view->counters.listings = ++polls;
    view->last_poll = view->last_complete = kNoon + Millis{static_cast<std::int64_t>(polls)};
    page->views.publish(std::move(view));
    page->scrape(encoding);
  };
}

HotPath::Step render_whole_page(std::size_t images) {
  return [page = std::make_shared<Page>(images)] {
    const MetricsPage made = Exposition(page->views).page(TextFormat::prometheus, Encoding::identity);
    require(made.pieces.size() > 2, "no page");
  };
}

HotPath::Step load_config_text(std::size_t images) {
  std::string text = "images:\n";
  for (std::size_t i = 0; i < images; ++i) {
    text += "  - id: " + image_name(i) + "\n    required: [\"1700000000000001\"]\n" +
            "    allowed: [\"1700000000000002\", \"1700000000000003\"]\n";
  }
  return [text, images] {
    const auto config = parse_config(text, "bench.yml");
    require(config && config->images.size() == images, "refused");
  };
}

}  // namespace

std::vector<HotPath> hot_paths() {
  std::vector<HotPath> paths;
  // Several sizes: what grows faster than its input is seen in their ratio.
  const auto add = [&paths](const std::string& what, std::size_t size, int counted_steps, auto make) {
    paths.push_back({what + "/" + std::to_string(size), counted_steps, [make, size] { return make(size); }});
  };
  paths.push_back({"sign_request", 100, sign_request});
  add("decode_answer", 3, 100, decode_answer);
  add("decode_answer", 100, 20, decode_answer);
  add("prove_long_list", 10'000, 1, prove_long_list);
  add("tracker_step", 1'000, 1'000, tracker_step);
  add("tracker_step", 50'000, 0, tracker_step);
  for (const auto& [coding, encoding] : {std::pair{"plain", Encoding::identity}, {"gzip", Encoding::gzip}}) {
    const auto unchanged = [e = encoding](std::size_t images) { return scrape_unchanged(images, e); };
    const auto after_poll = [e = encoding](std::size_t images) { return scrape_after_poll(images, e); };
    add(std::string("scrape_unchanged/") + coding, 1'000, 20, unchanged);
    add(std::string("scrape_unchanged/") + coding, 10'000, 0, unchanged);
    add(std::string("scrape_after_poll/") + coding, 1'000, 5, after_poll);
    add(std::string("scrape_after_poll/") + coding, 10'000, 0, after_poll);
  }
  add("render_whole_page", 1'000, 2, render_whole_page);
  add("render_whole_page", 10'000, 0, render_whole_page);
  add("load_config_text", 1'000, 1, load_config_text);
  add("load_config_text", 10'000, 0, load_config_text);
  return paths;
}

}  // namespace sharedrift
