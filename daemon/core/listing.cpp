#include "core/listing.hpp"

#include "core/failure.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {

std::size_t row_count(const Page& page) {
  return page.accounts.size() + page.unusable_rows;
}

}  // namespace

std::int64_t Observation::unlisted() const {
  const auto distinct = static_cast<std::int64_t>(accounts.size());
  return std::max<std::int64_t>(0, total_count - distinct);
}

ListingCollector::ListingCollector(ImageId image, ListingLimits limits, WallTime started)
    : image_(std::move(image)), limits_(limits), passes_(limits.max_passes) {
  result_.started = started;
  begin_pass();
}

void ListingCollector::begin_pass() {
  pass_ = Pass{};
  ++result_.passes;
}

bool ListingCollector::pause_before_next() const {
  return !done_ && result_.passes > 1 && pass_.highest_asked == 0;
}

std::vector<int> ListingCollector::next(int most) {
  if (done_ || most <= 0) return {};
  const int highest = pass_.highest_asked;
  const int claimed = pass_.pages.contains(1) ? pages_claimed() : pages_before_;
  std::vector<int> numbers;
  for (int i = 1; i <= std::min(claimed - highest, most) && !at_end(); ++i)
    numbers.push_back(highest + i);
  // TotalCount may lie: go on, one page at a time, until a page shows the end.
  if (numbers.empty() && !awaiting() && !at_end()) numbers.push_back(highest + 1);
  if (!numbers.empty()) pass_.highest_asked = numbers.back();
  return numbers;
}

void ListingCollector::add(int number, Page page) {
  if (done_ || number < 1 || number > pass_.highest_asked || pass_.pages.contains(number)) return;
  ++result_.pages;
  if (page.total_count) result_.total_count = *page.total_count;
  last_answer_ = std::move(page.request_id);
  if (!last_answer_.empty()) result_.request_ids.push_back(last_answer_);
  judge_echoes(number, page);
  if (page.image_id && *page.image_id != image_.str()) page.accounts.clear();
  judge_rows(page);
  pass_.rows_read += row_count(page);
  pass_.pages.emplace(number, PageFacts{row_count(page), page.total_count, page.page_size});
  // Pages that are longer than asked for could fill the memory long before there are too many of them.
  if (pass_.rows_read >
      static_cast<std::size_t>(limits_.page_size) * static_cast<std::size_t>(limits_.max_pages)) {
    pass_.why.reset();  // this outweighs what else is wrong
    break_pass(Reason::too_large, "the pages hold more rows than they may");
    return fail(*pass_.why);
  }
  if (awaiting()) return;
  if (at_end()) {
    finish_pass();
  } else if (pass_.highest_asked >= limits_.max_pages) {
    break_pass(Reason::too_large,
               "the list does not end within " + std::to_string(limits_.max_pages) + " pages");
    finish_pass();
  }
}

void ListingCollector::judge_echoes(int number, const Page& page) {
  if (page.image_id && *page.image_id != image_.str()) {
    break_pass(Reason::echo_mismatch, "the answer names another image than was asked for");
  }
  if (page.page_number && *page.page_number != number) {
    break_pass(Reason::echo_mismatch, "page " + std::to_string(number) + " was asked for, page " +
                                          std::to_string(*page.page_number) + " came");
  }
  if (page.page_size && *page.page_size != limits_.page_size) {
    break_pass(Reason::echo_mismatch, "page size " + std::to_string(limits_.page_size) + " was asked for, " +
                                          std::to_string(*page.page_size) + " was used");
  }
  if (row_count(page) > static_cast<std::size_t>(limits_.page_size)) {
    break_pass(Reason::echo_mismatch, "a page holds more rows than were asked for");
  }
  if (!page.total_count || *page.total_count < 0) {
    break_pass(Reason::count_mismatch, "the answer has no usable TotalCount");
  } else if (!pass_.pages.empty() && pass_.pages.begin()->second.total_count != page.total_count) {
    break_pass(Reason::count_changed,
               "TotalCount changed from page to page: the list moved while it was read");
  }
}

void ListingCollector::judge_rows(const Page& page) {
  if (page.unusable_rows > 0) {
    break_pass(Reason::bad_row, std::to_string(page.unusable_rows) + " rows hold no usable account id");
  }
  pass_.repeats = !page.accounts.empty();
  for (const AccountId& account : page.accounts) {
    if (pass_.rows.insert(account).second) {
      pass_.repeats = false;
    } else {
      break_pass(Reason::duplicate_row, "an account is listed twice: the list moved while it was read");
    }
  }
}

std::size_t ListingCollector::effective_page_size() const {
  const auto asked = static_cast<std::size_t>(limits_.page_size);
  const auto first = pass_.pages.find(1);
  if (first == pass_.pages.end() || !first->second.page_size) return asked;
  const std::int64_t echoed = *first->second.page_size;
  return echoed > 0 && echoed < limits_.page_size ? static_cast<std::size_t>(echoed) : asked;
}

/// The page that must show the end if the first page's TotalCount is right: the short one, or the empty one
/// after a full last page. At least 1.
int ListingCollector::pages_claimed() const {
  const PageFacts& first = pass_.pages.at(1);
  const auto size = static_cast<std::int64_t>(effective_page_size());
  if (!first.total_count || first.rows < effective_page_size()) return 1;
  const std::int64_t pages = *first.total_count / size + 1;
  return static_cast<int>(std::clamp<std::int64_t>(pages, 1, limits_.max_pages));
}

bool ListingCollector::at_end() const {
  if (pass_.pages.empty()) return false;
  if (pass_.repeats) return true;
  return pass_.pages.rbegin()->second.rows < effective_page_size();
}

bool ListingCollector::fits_one_page() const {
  return std::all_of(pass_.pages.begin(), pass_.pages.end(),
                     [](const auto& entry) { return entry.first == 1 || entry.second.rows == 0; });
}

void ListingCollector::break_pass(Reason reason, std::string detail) {
  if (pass_.why) return;
  pass_.why = make_failure(reason, std::move(detail));
  pass_.why->request_id = last_answer_;
}

void ListingCollector::finish_pass() {
  const std::size_t size = effective_page_size();
  std::optional<int> end;
  for (const auto& [number, page] : pass_.pages) {
    if (end && page.rows > 0)
      break_pass(Reason::count_mismatch, "rows follow after a page that was not full");
    if (!end && page.rows < size) end = number;
  }
  pages_before_ = end.value_or(pass_.highest_asked);
  const auto distinct = static_cast<std::int64_t>(pass_.rows.size());
  if (result_.total_count != distinct) {
    break_pass(Reason::count_mismatch, "TotalCount says " + std::to_string(result_.total_count) + ", " +
                                           std::to_string(distinct) + " accounts were listed");
  }
  auto verdict = passes_.judge(std::move(pass_.why), fits_one_page(), take_in_rows());
  if (!verdict) return begin_pass();
  if (!*verdict) return conclude(std::move(*verdict).error(), {});
  conclude(std::nullopt, std::move(**verdict));
}

/// The rows of the pass, sorted; they are part of what was seen from now on.
std::vector<AccountId> ListingCollector::take_in_rows() {
  std::vector<AccountId> rows(pass_.rows.begin(), pass_.rows.end());
  std::sort(rows.begin(), rows.end());
  if (seen_ != rows) {
    std::vector<AccountId> both;
    both.reserve(std::max(seen_.size(), rows.size()));
    std::set_union(seen_.begin(), seen_.end(), rows.begin(), rows.end(), std::back_inserter(both));
    seen_ = std::move(both);
  }
  return rows;
}

void ListingCollector::conclude(std::optional<Failure> failure, std::vector<AccountId> proven) {
  done_ = true;
  if (failure) {
    result_.failure = std::move(*failure);
    result_.accounts = std::move(seen_);
    return;
  }
  result_.complete = true;
  std::set_difference(seen_.begin(), seen_.end(), proven.begin(), proven.end(),
                      std::back_inserter(result_.transient));
  result_.accounts = std::move(proven);
}

void ListingCollector::fail(Failure failure) {
  if (done_) return;
  take_in_rows();
  conclude(std::move(failure), {});
}

Observation ListingCollector::take() {
  return std::move(result_);
}

}  // namespace sharedrift
