#pragma once

#include "metrics/board.hpp"
#include "metrics/gzip.hpp"
#include "metrics/page_writer.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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

/// The page of /metrics. What images contribute is kept by family and block of images, as text, as gzip or as
/// both, just as it is asked for, and made anew only where the board says that lines changed: a scrape joins
/// what is there. Concurrent scrapes share one rendering. Thread-safe.
class Exposition {
 public:
  /// Appends whole families of the daemon's own activity, heads included. Called for every page, on the
  /// scraper's thread, several at a time.
  using OwnFamilies = std::function<void(std::string& out, TextFormat format)>;

  /// `board` must outlive the exposition. No `own` families: a page of images only.
  explicit Exposition(const Board& board, OwnFamilies own = nullptr);

  [[nodiscard]] MetricsPage page(TextFormat format, Encoding encoding);

  /// Gives back what is kept in an encoding that nobody asked for since this was called the last time:
  /// whoever looks at the page once, without gzip, leaves as much memory as the page is long.
  void forget_unasked();

 private:
  /// Each encoding is there if it was asked for.
  struct Part {
    std::shared_ptr<const std::string> text;
    GzipPiece gzip;
    [[nodiscard]] bool has(Encoding encoding) const {
      return encoding == Encoding::gzip ? gzip.bytes != nullptr : text != nullptr;
    }
    void forget(Encoding encoding) {
      if (encoding == Encoding::gzip) gzip = {};
      if (encoding == Encoding::identity) text.reset();
    }
  };
  /// The lines of one family and one block of images, or of all.
  struct Lines {
    std::uint64_t version = 0;  ///< the board's when they were rendered
    Part part;
    [[nodiscard]] bool are_of(std::uint64_t now, Encoding encoding) const {
      return version == now && part.has(encoding);
    }
  };
  struct Family {
    std::array<Part, 2> heads;  ///< by format
    std::vector<Lines> blocks;  ///< just one for a family that is of the whole fleet
    GzipPiece zipped;  ///< all blocks' gzip in one, to be sent and summed up at once; no bytes: to be joined
  };
  struct Refresh {
    std::uint64_t moment = 0;  ///< of the board, that all parts are of
    Encoding encoding{};       ///< that all parts are there in; what changed may be missing in the other
  };
  void refresh(Encoding encoding);
  [[nodiscard]] std::vector<bool> stale_blocks(const std::vector<Block>& blocks, Encoding encoding) const;
  void render(Metric metric, const BlockReading& reading, Encoding encoding);
  void fill(Part& part, const std::string& text, Encoding encoding);
  const Part& head(Metric metric, TextFormat format, Encoding encoding);
  std::vector<std::shared_ptr<const std::string>> text_pieces(TextFormat format);
  std::vector<std::shared_ptr<const std::string>> gzip_pieces(TextFormat format, const std::string& own);

  const Board& board_;
  const OwnFamilies own_;
  std::mutex mutex_;  ///< guards what follows; held while rendering, so that others wait for its result
  std::array<Family, kImageMetricCount> families_;
  std::optional<Refresh> last_;
  std::array<bool, 2> asked_{};  ///< by encoding, since the last forget_unasked()
  std::string scratch_;
  GzipPacker packer_;
};

}  // namespace sharedrift
