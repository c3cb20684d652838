#pragma once

#include "app/board.hpp"
#include "app/gzip.hpp"
#include "app/page_writer.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sharedrift {

enum class Encoding { identity, gzip };

/// A page as a row of immutable parts that are shared with other scrapes and the next ones: sending it copies
/// next to nothing.
struct MetricsPage {
  std::vector<std::shared_ptr<const std::string>> pieces;  ///< none of them null

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::string joined() const;
};

/// The page of /metrics. What images contribute is kept family by family, as text, as gzip or as both, just
/// as it is asked for, and made anew only when the board says that lines of the family changed: a scrape
/// joins what is there. Concurrent scrapes share one rendering. Thread-safe.
class Exposition {
 public:
  /// Appends whole families of the daemon's own activity, heads included. Called for every page, on the
  /// scraper's thread, several at a time.
  using OwnFamilies = std::function<void(std::string& out, TextFormat format)>;

  /// `board` must outlive the exposition. No `own` families: a page of images only.
  explicit Exposition(const Board& board, OwnFamilies own = nullptr);

  [[nodiscard]] MetricsPage page(TextFormat format, Encoding encoding);

 private:
  /// A family as one part of the page, head included; each encoding is there if it was asked for.
  struct Part {
    std::shared_ptr<const std::string> text;  ///< empty: no image contributes a line
    GzipPiece gzip;
  };
  struct Family {
    std::uint64_t version = 0;  ///< the board's when the parts were rendered; its first is 1
    std::array<Part, 2> parts;  ///< by format, or the first for both where the head is the same
  };
  template <class Visit>
  void for_each_part(TextFormat format, Visit visit) const;
  void refresh(TextFormat format, Encoding encoding);
  void render(Metric metric, const Fleet& fleet, TextFormat format, Encoding encoding);
  [[nodiscard]] static bool is_ready(const Part& part, Encoding encoding);
  [[nodiscard]] static std::size_t slot(Metric metric, TextFormat format);

  const Board& board_;
  const OwnFamilies own_;
  std::mutex mutex_;  ///< guards what follows; held while rendering, so that others wait for its result
  std::array<Family, kImageMetricCount> families_;
  std::string scratch_;
  GzipPacker packer_;
};

}  // namespace sharedrift
