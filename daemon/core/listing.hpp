#pragma once

#include "core/failure.hpp"
#include "core/ids.hpp"
#include "core/passes.hpp"
#include "core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace sharedrift {

/// One page as the wire had it, already decoded. Echoes are absent when the answer did not carry them.
struct Page {
  std::vector<AccountId> accounts;  ///< usable rows, in the order of the answer, duplicates kept
  std::size_t unusable_rows = 0;    ///< rows without a usable account id: the listing cannot be complete
  std::optional<std::int64_t> total_count;
  std::optional<std::int64_t> page_number;
  std::optional<std::int64_t> page_size;
  std::optional<std::string> image_id;
  std::string request_id;
};

/// What one poll of an image brought: the only way news reaches the tracker.
/// Presence is cheap: every account in `accounts` or `transient` was seen in at least one row, complete or
/// not. Absence needs proof: only `complete` says that an account in neither is not there.
struct Observation {
  std::vector<AccountId>
      accounts;  ///< sorted, unique. Complete: the proven set. Else: the union of all rows seen
  std::vector<AccountId> transient;  ///< sorted; seen in an earlier pass, not part of the proven set
  bool complete = false;
  bool gone = false;  ///< the account's own inventory lacks the image (not a listing; complete is false)
  Failure failure;    ///< why not complete; meaningless when complete
  std::int64_t total_count = -1;         ///< the last TotalCount the API claimed; -1: never said
  int pages = 0;                         ///< pages read
  int passes = 0;                        ///< passes begun
  std::vector<std::string> request_ids;  ///< of all answers, as they came
  WallTime started;                      ///< before the first request left
  std::optional<WallTime> server_time;   ///< the API's Date header, if any
  Millis duration{};

  /// TotalCount minus distinct rows, at least 0.
  [[nodiscard]] std::int64_t unlisted() const;
};

/// Caps against endless or bloated answers.
struct ListingLimits {
  int page_size = 100;   ///< what is asked for; the API's maximum
  int max_pages = 1000;  ///< per pass; no pass takes more rows than these can have
  int max_passes = 4;    ///< then `unstable`
};

/// Decides which pages to ask for and whether what came is a proof. Pure: no clock, no I/O; not thread-safe.
///
/// A list that fits one page is proven by that page alone: TotalCount equals its distinct rows, nothing
/// repeats, echoes agree, and it is shorter than the page. A longer one can move while it is read, so it is
/// read in passes: in each, TotalCount is the same on all pages, no row repeats, the last
/// page is short or empty; and two passes in a row must be equal. Rows of broken passes still raise: they are
/// in the observation's `accounts` or `transient`.
///
/// Use: ask next(); for each page number in it fetch and call add() or fail(); repeat until done(); then
/// take(). Pages of one pass may be fetched at the same time and come back in any order.
class ListingCollector {
 public:
  ListingCollector(ImageId image, ListingLimits limits, WallTime started);

  /// At most `most` page numbers that may be asked for now and were not handed out before: of the first pass
  /// the first page, then the pages that it told of; of a later one all of them, since a change between two
  /// pages must find as little time as possible. Empty while answers are awaited that decide how it goes on,
  /// and when done.
  std::vector<int> next(int most);
  /// True when the next pages handed out begin a new pass: the caller should pause for a random while first,
  /// so that nobody can time changes to the gaps.
  [[nodiscard]] bool pause_before_next() const;
  /// The answer to the request for page `number`.
  void add(int number, Page page);
  /// A request failed for good: the poll ends here; what was seen so far is kept.
  void fail(Failure failure);
  [[nodiscard]] bool done() const { return done_; }
  /// The result; call once, after done().
  Observation take();

 private:
  /// What is kept of a page beside its rows.
  struct PageFacts {
    std::size_t rows = 0;
    std::optional<std::int64_t> total_count;
    std::optional<std::int64_t> page_size;
  };
  struct Pass {
    std::map<int, PageFacts> pages;      ///< answers by page number
    int highest_asked = 0;               ///< page numbers from 1 to this one were handed out
    std::unordered_set<AccountId> rows;  ///< distinct accounts of this pass
    std::size_t rows_read = 0;           ///< all rows, usable or not
    std::optional<Failure> why;  ///< set: the pass contradicts itself, so its rows count as seen and no more
    bool repeats = false;        ///< the last page brought nothing but rows known already
  };
  void judge_echoes(int number, const Page& page);
  void judge_rows(const Page& page);
  void finish_pass();
  void begin_pass();
  void break_pass(Reason reason, std::string detail);
  std::vector<AccountId> take_in_rows();
  /// No failure: the list is `proven`.
  void conclude(std::optional<Failure> failure, std::vector<AccountId> proven);
  [[nodiscard]] bool awaiting() const {
    return pass_.pages.size() < static_cast<std::size_t>(pass_.highest_asked);
  }
  [[nodiscard]] bool at_end() const;
  [[nodiscard]] bool fits_one_page() const;
  [[nodiscard]] std::size_t effective_page_size() const;
  [[nodiscard]] int pages_claimed() const;

  ImageId image_;
  ListingLimits limits_;
  Observation result_;
  Passes<std::vector<AccountId>> passes_;
  int pages_before_ = 1;  ///< to the end of the list in the pass before
  Pass pass_;
  std::vector<AccountId> seen_;  ///< the rows of all passes so far; sorted
  std::string last_answer_;      ///< its RequestId
  bool done_ = false;
};

}  // namespace sharedrift
