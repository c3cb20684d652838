#pragma once

#include "core/listing.hpp"
#include "support/fakes.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sharedrift::testing {

inline AccountId account(int number) {
  return *AccountId::parse(std::to_string(1'500'000'000'000'000LL + number));
}

/// A list behind offset paging that may change between any two requests and lie in every way the API could.
class PageServer {
 public:
  explicit PageServer(int size) {
    for (int i = 1; i <= size; ++i)
      list_.push_back(account(i));
    next_ = size + 1;
    remember();
  }

  Page page(int number, int size) {
    if (before) before(*this);
    const int used = page_size_cap > 0 ? std::min(size, page_size_cap) : size;
    Page page;
    auto offset = static_cast<std::size_t>((number - 1) * used);
    if (repeat_first_page) offset = 0;
    for (std::size_t i = offset; i < offset + static_cast<std::size_t>(used); ++i) {
      if (endless) {
        page.accounts.push_back(account(static_cast<int>(i) + 1));
      } else if (i < list_.size()) {
        page.accounts.push_back(list_[i]);
      }
    }
    page.total_count = static_cast<std::int64_t>(list_.size()) + lie;
    page.page_number = number;
    page.page_size = used;
    page.image_id = "m-1";
    page.request_id = "R" + std::to_string(number);
    if (tamper) tamper(number, page);
    if (page.image_id == "m-1" || !page.image_id)
      returned_.insert(page.accounts.begin(), page.accounts.end());
    return page;
  }

  void remove(std::size_t index) {
    if (index < list_.size()) list_.erase(list_.begin() + static_cast<std::ptrdiff_t>(index));
    remember();
  }
  void insert_front() {
    list_.insert(list_.begin(), account(next_++));
    remember();
  }
  void append() {
    list_.push_back(account(next_++));
    remember();
  }
  void random_change(Random& random) {
    switch (random.next() % 8) {
      case 0: return remove(list_.empty() ? 0 : random.next() % list_.size());
      case 1: return insert_front();
      case 2: remove(0); return append();
      case 3: std::reverse(list_.begin(), list_.end()); return;
      default: return;
    }
  }

  [[nodiscard]] int size() const { return static_cast<int>(list_.size()); }
  [[nodiscard]] bool was_true_once(const std::vector<AccountId>& accounts) const {
    return history_.contains(std::set<AccountId>(accounts.begin(), accounts.end()));
  }
  [[nodiscard]] bool every_returned_row_is_in(const Observation& seen) const {
    return std::all_of(returned_.begin(), returned_.end(), [&seen](const AccountId& a) {
      return std::binary_search(seen.accounts.begin(), seen.accounts.end(), a) ||
             std::binary_search(seen.transient.begin(), seen.transient.end(), a);
    });
  }

  std::function<void(PageServer&)> before;  ///< runs before each request is answered
  std::function<void(int, Page&)> tamper;   ///< may change each answer
  int lie = 0;                              ///< added to TotalCount
  int page_size_cap = 0;                    ///< the server uses smaller pages than asked for
  bool endless = false;
  bool repeat_first_page = false;

 private:
  void remember() { history_.insert(std::set<AccountId>(list_.begin(), list_.end())); }

  std::vector<AccountId> list_;
  std::set<std::set<AccountId>> history_;
  std::set<AccountId> returned_;
  int next_ = 1;
};

/// Damages an answer in one of the ways in which lists go wrong, or leaves it alone.
inline void random_damage(Page& page, Random& random) {
  switch (random.next() % 24) {
    case 0: page.total_count = static_cast<std::int64_t>(random.next() % 400); break;
    case 1: page.total_count.reset(); break;
    case 2: page.unusable_rows = 1; break;
    case 3:
      if (!page.accounts.empty()) page.accounts.push_back(page.accounts.front());
      break;
    case 4: page.accounts.resize(page.accounts.size() / 2, account(1)); break;
    case 5: std::reverse(page.accounts.begin(), page.accounts.end()); break;
    case 6: page.page_number = static_cast<std::int64_t>(random.next() % 5); break;
    case 7: page.page_size = static_cast<std::int64_t>(random.next() % 120); break;
    case 8: page.image_id = "m-other"; break;
    case 9: page.accounts.clear(); break;
    case 10: page.total_count = -5; break;
    case 11: page.total_count = std::int64_t{1} << 62U; break;
    default: break;
  }
}

/// Drives a ListingCollector against the server as the client does, with a window of requests in flight; with
/// `shuffle` the window is of any size and its answers come in any order.
inline Observation read_all(const ImageId& image, PageServer& server, Random* shuffle = nullptr) {
  ListingCollector collector(image, {}, WallTime{Millis{1}});
  const std::size_t window = shuffle == nullptr ? 128 : 1 + shuffle->next() % 20;
  std::vector<int> flying;
  while (!collector.done()) {
    for (const int number : collector.next(static_cast<int>(window - flying.size())))
      flying.push_back(number);
    if (flying.empty()) throw std::logic_error("the collector neither asks nor ends");
    const auto next = flying.begin() +
                      (shuffle == nullptr ? 0 : static_cast<std::ptrdiff_t>(shuffle->next() % flying.size()));
    const int number = *next;
    flying.erase(next);
    collector.add(number, server.page(number, 100));
  }
  return collector.take();
}

}  // namespace sharedrift::testing
