#include "core/inventory.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

const InventoryRow* InventoryListing::find(const ImageId& id) const {
  const auto place = std::lower_bound(
      rows.begin(), rows.end(), id, [](const InventoryRow& row, const ImageId& key) { return row.id < key; });
  return place != rows.end() && place->id == id ? &*place : nullptr;
}

InventoryCollector::InventoryCollector(ListingLimits limits, WallTime started)
    : limits_(limits), passes_(limits.max_passes) {
  result_.started = started;
}

void InventoryCollector::add(const InventoryPage& page) {
  if (done_) return;
  ++read_;
  last_answer_ = page.request_id;
  if (!last_answer_.empty()) result_.request_ids.push_back(last_answer_);
  judge_page(page);
  const std::size_t before = rows_.size();
  for (const InventoryRow& row : page.rows) {
    if (!rows_.insert(row).second)
      break_pass(Reason::duplicate_row, "an image is listed twice: the list moved while it was read");
  }
  see(page.rows);
  // Pages that are longer than asked for could fill the memory long before there are too many of them.
  if (rows_.size() >
      static_cast<std::size_t>(limits_.page_size) * static_cast<std::size_t>(limits_.max_pages)) {
    why_.reset();  // this outweighs what else is wrong
    break_pass(Reason::too_large, "the pages hold more rows than they may");
    return fail(*why_);
  }
  const std::size_t size = page.rows.size() + page.unusable_rows;
  if (page_ == 1) first_size_ = size;
  if (size > 0) ++pages_with_rows_;
  if (at_end(page, before)) return finish_pass();
  if (page_ < limits_.max_pages) {
    ++page_;
    return;
  }
  break_pass(Reason::too_large,
             "the inventory does not end within " + std::to_string(limits_.max_pages) + " pages");
  finish_pass();
}

void InventoryCollector::judge_page(const InventoryPage& page) {
  if (page.page_number && *page.page_number != page_) {
    break_pass(Reason::echo_mismatch, "page " + std::to_string(page_) + " was asked for, page " +
                                          std::to_string(*page.page_number) + " came");
  }
  if (page.unusable_rows > 0) break_pass(Reason::bad_row, "the inventory holds an image without a usable id");
  if (page_ == 1) {
    total_ = page.total_count;
  } else if (total_ != page.total_count) {
    break_pass(Reason::count_changed,
               "TotalCount changed from page to page: the list moved while it was read");
  }
}

bool InventoryCollector::at_end(const InventoryPage& page, std::size_t distinct_before) const {
  const std::size_t size = page.rows.size() + page.unusable_rows;
  const bool repeats = !page.rows.empty() && rows_.size() == distinct_before;
  if (size == 0 || repeats) return true;
  if (page_ > 1) return size < first_size_;
  // A first page that is not full may be one that the API cut short; a TotalCount can tell.
  return total_ && *total_ <= static_cast<std::int64_t>(rows_.size()) &&
         size < static_cast<std::size_t>(limits_.page_size);
}

void InventoryCollector::finish_pass() {
  const auto distinct = static_cast<std::int64_t>(rows_.size());
  if (total_.value_or(distinct) != distinct) {
    break_pass(Reason::count_mismatch, "TotalCount says " + std::to_string(*total_) + ", " +
                                           std::to_string(distinct) + " images were listed");
  }
  const bool alone = total_ && pages_with_rows_ <= 1;
  auto verdict = passes_.judge(std::move(why_), alone, {rows_.begin(), rows_.end()});
  page_ = 1;
  rows_.clear();
  pages_with_rows_ = 0;
  why_.reset();
  if (!verdict) return;
  if (!*verdict) return fail(std::move(*verdict).error());
  done_ = true;
  result_.complete = true;
  result_.rows = std::move(**verdict);
}

void InventoryCollector::break_pass(Reason reason, std::string detail) {
  if (why_) return;
  why_ = make_failure(reason, std::move(detail));
  why_->request_id = last_answer_;
}

/// One row that says that an image is ours outweighs any that does not.
void InventoryCollector::see(const std::vector<InventoryRow>& rows) {
  for (const InventoryRow& row : rows) {
    const auto known = seen_.find(row);
    if (known != seen_.end() && (known->ours || !row.ours)) continue;
    if (known != seen_.end()) seen_.erase(known);
    seen_.insert(row);
  }
}

bool InventoryCollector::saw(const ImageId& id) const {
  const auto known = seen_.find(id);
  return known != seen_.end() && known->ours;
}

void InventoryCollector::fail(Failure failure) {
  if (done_) return;
  done_ = true;
  result_.failure = std::move(failure);
  result_.rows.assign(seen_.begin(), seen_.end());
}

}  // namespace sharedrift
