/// An answer of the API, first byte the status: what is read from it can be shown, and what is called a proof
/// is one.
#include "aliyun/answer.hpp"

#include "core/text.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <nlohmann/json.hpp>

namespace sharedrift::fuzz {
namespace {

void check_failure(const Failure& failure) {
  for (const std::string& text : {failure.detail, failure.code, failure.request_id}) {
    require_one_line(text, "a failure is one line");
    require(is_valid_utf8(text), "a failure is UTF-8", text);
    require(text.size() < 1000, "a failure is short", text);
  }
}

/// The same page as the answer to whatever is asked, as a server would send that is broken or hostile.
void check_listing(const Page& page) {
  ListingCollector collector(*ImageId::parse("m-1"), {.page_size = 100, .max_pages = 5, .max_passes = 4},
                             WallTime{});
  int asked = 0;
  while (!collector.done()) {
    const std::vector<int> numbers = collector.next(128);
    require(!numbers.empty(), "a listing goes on or ends");
    for (const int number : numbers) {
      require(++asked <= 20, "a listing ends");
      collector.add(number, page);
    }
  }
  const Observation seen = collector.take();
  std::set<AccountId> rows(page.accounts.begin(), page.accounts.end());
  if (page.image_id && *page.image_id != "m-1") rows.clear();  // they are another image's
  std::set<AccountId> found(seen.accounts.begin(), seen.accounts.end());
  found.insert(seen.transient.begin(), seen.transient.end());
  require(found == rows, "every row was seen, and nothing else");
  if (!seen.complete) return check_failure(seen.failure);
  require(page.unusable_rows == 0 && page.accounts.size() == rows.size(), "a proof has no odd rows");
  require(page.total_count == static_cast<std::int64_t>(rows.size()), "a proof is counted");
  require(!page.image_id || *page.image_id == "m-1", "a proof is about the image");
  require(!seen.gone, "a listing does not say gone");
}

void check(HttpResponse response) {
  const auto opened = open_answer(response);
  if (!opened) return check_failure(opened.error().failure);
  require(response.status == 200, "only 200 is an answer");
  require(nlohmann::json::accept(response.body), "only JSON is an answer", response.body);
  if (const auto page = decode_page(opened->root())) {
    require_one_line(page->request_id, "an id is one line");
    check_listing(*page);
  } else {
    check_failure(page.error());
  }
  if (const auto inventory = decode_inventory(opened->root())) {
    for (const InventoryRow& row : inventory->rows)
      require_one_line(row.name, "a name is one line");
  } else {
    check_failure(inventory.error());
  }
  const auto identity = decode_caller_identity(opened->root());
  if (!identity) check_failure(identity.error());
}

}  // namespace
}  // namespace sharedrift::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static constexpr std::array<int, 8> kStatus{200, 400, 403, 404, 429, 500, 502, 302};
  sharedrift::HttpResponse response;
  response.status = data[0] >= '0' && data[0] < '8' ? kStatus.at(data[0] - '0') : 200;
  response.body = sharedrift::fuzz::as_text(data + 1, size - 1);
  sharedrift::fuzz::check(std::move(response));
  return 0;
}
