#pragma once

#include "metrics/gzip.hpp"
#include "metrics/page_writer.hpp"
#include "metrics/view_store.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <prometheus/collectable.h>

namespace sharedrift {

enum class Encoding { identity, gzip };

/// A page as a row of immutable parts that are shared with other scrapes and the next ones: sending it copies
/// next to nothing.
struct MetricsPage {
  std::vector<std::shared_ptr<const std::string>> pieces;  ///< none of them null
};

/// The page of /metrics. The families of images are kept, as text and as gzip as it is asked for, and each is
/// made anew when one of its lines changed. Concurrent scrapes share one rendering. Thread-safe.
class Exposition {
 public:
  /// Both must outlive it. `own` are the families of the daemon's own activity, collected for every page, on
  /// the scraper's thread, several at a time; null: a page of images only.
  explicit Exposition(const ViewStore& views, const prometheus::Collectable* own = nullptr);

  [[nodiscard]] MetricsPage page(TextFormat format, Encoding encoding);

 private:
  /// One for each format and encoding.
  static constexpr std::size_t kKinds = 4;
  /// A family with its head. Of the text the `bytes` only.
  struct Family {
    std::uint64_t version = 0;             ///< the store's, of all that is there
    std::array<GzipPiece, kKinds> pieces;  ///< no bytes: not asked for yet
  };
  void refresh(TextFormat format, Encoding encoding);

  const ViewStore& views_;
  const prometheus::Collectable* const own_;
  std::mutex mutex_;  ///< guards what follows; held while rendering, so that others wait for its result
  std::vector<Family> families_;                  ///< those of images, and at the end what is of the fleet
  std::array<std::uint64_t, kKinds> versions_{};  ///< of the store, that all families are there of
};

}  // namespace sharedrift
