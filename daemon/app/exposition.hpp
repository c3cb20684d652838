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
/// nothing.
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
  struct Head {
    std::shared_ptr<const std::string> text;
    GzipPiece gzip;
  };
  /// A family's sample lines. `version` is the board's when they were rendered; each encoding is there if it
  /// was asked for.
  struct Family {
    std::array<Head, 2> heads;  ///< by TextFormat
    std::uint64_t version = 0;  ///< the board's first is 1
    bool empty = true;
    std::shared_ptr<const std::string> text;
    GzipPiece gzip;
  };
  void refresh(Encoding encoding);
  void render(Family& family, Metric metric, const Fleet& fleet, Encoding encoding);
  [[nodiscard]] bool is_ready(const Family& family, std::uint64_t version, Encoding encoding) const;
  void add_images(MetricsPage& page, GzipStream& gzip, TextFormat format, Encoding encoding) const;

  const Board& board_;
  const OwnFamilies own_;
  std::mutex mutex_;  ///< guards what follows; held while rendering, so that others wait for its result
  std::array<Family, kImageMetricCount> families_;
  std::string scratch_;
};

}  // namespace sharedrift
