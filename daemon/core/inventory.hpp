#pragma once

#include "core/failure.hpp"
#include "core/ids.hpp"
#include "core/listing.hpp"
#include "core/passes.hpp"
#include "core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sharedrift {

/// One image in the account's list of images (DescribeSelfImages).
struct InventoryRow {
  ImageId id;
  std::string name;                 ///< as others chose it: cleaned and cut, never a key
  std::optional<WallTime> created;  ///< as the API says
  bool ours = true;                 ///< false: it is another account's, which shares it with this one
  /// What two passes must agree on: a new name is no contradiction.
  friend bool operator==(const InventoryRow& a, const InventoryRow& b) {
    return a.id == b.id && a.ours == b.ours;
  }
};

/// One page as the wire had it.
struct InventoryPage {
  std::vector<InventoryRow> rows;
  std::size_t unusable_rows = 0;            ///< without a usable id: the inventory cannot be complete
  std::optional<std::int64_t> total_count;  ///< newer endpoints may have none
  std::optional<std::int64_t> page_number;
  std::string request_id = {};
};

/// What one walk brought. Presence is cheap: every row of it was seen. Absence needs proof: only `complete`
/// says that an image which is not in it is not there.
struct InventoryListing {
  std::vector<InventoryRow>
      rows;  ///< sorted by id, unique. Complete: the proven set. Else: all that were seen
  bool complete = false;
  Failure failure;                            ///< why not complete; meaningless when complete
  WallTime started;                           ///< before the first request left
  std::vector<std::string> request_ids = {};  ///< of all answers

  /// Null if it lacks the image.
  [[nodiscard]] const InventoryRow* find(const ImageId& id) const;
};

/// Decides which page to ask for next and whether what came is a proof. Pure; not thread-safe.
///
/// The proof is that of a listing (ListingCollector), but that the API may give no TotalCount and smaller
/// pages than were asked for: then a page shows the end if it is shorter than the first one, or empty, and it
/// takes two passes in any case.
class InventoryCollector {
 public:
  explicit InventoryCollector(ListingLimits limits, WallTime started);

  /// The page to ask for; one at a time.
  [[nodiscard]] int next_page() const { return page_; }
  /// True when the next page begins a new pass.
  [[nodiscard]] bool pause_before_next() const { return !done_ && page_ == 1 && read_ > 0; }
  void add(const InventoryPage& page);
  /// The walk ends here; what was seen so far is kept.
  void fail(Failure failure);
  [[nodiscard]] bool done() const { return done_; }
  /// Whether a row of ours was seen with that id: no more pages are needed to know that it is there.
  [[nodiscard]] bool saw(const ImageId& id) const;
  /// The result; call once.
  InventoryListing take() { return std::move(result_); }

 private:
  void judge_page(const InventoryPage& page);
  [[nodiscard]] bool at_end(const InventoryPage& page, std::size_t distinct_before) const;
  void finish_pass();
  void break_pass(Reason reason, std::string detail);
  void see(const std::vector<InventoryRow>& rows);

  struct ById {
    using is_transparent = void;
    bool operator()(const InventoryRow& a, const InventoryRow& b) const { return a.id < b.id; }
    bool operator()(const InventoryRow& a, const ImageId& b) const { return a.id < b; }
    bool operator()(const ImageId& a, const InventoryRow& b) const { return a < b.id; }
  };
  using Rows = std::set<InventoryRow, ById>;
  ListingLimits limits_;
  Passes<std::vector<InventoryRow>> passes_;
  InventoryListing result_;
  Rows seen_;  ///< the rows of all passes
  int page_ = 1;
  int read_ = 0;  ///< pages, of all passes
  bool done_ = false;
  std::string last_answer_;  ///< its RequestId
  // Of the pass under way:
  Rows rows_;
  std::optional<std::int64_t> total_;
  std::size_t first_size_ = 0;  ///< rows of its first page: how long a page is here
  std::size_t pages_with_rows_ = 0;
  std::optional<Failure> why_;
};

}  // namespace sharedrift
