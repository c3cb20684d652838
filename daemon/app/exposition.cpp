#include "app/exposition.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

namespace {
using Part = std::shared_ptr<const std::string>;
constexpr std::array kFormats{TextFormat::prometheus, TextFormat::openmetrics};

std::size_t index(TextFormat format) {
  return static_cast<std::size_t>(format);
}
}  // namespace

std::size_t MetricsPage::size() const {
  std::size_t bytes = 0;
  for (const Part& piece : pieces)
    bytes += piece->size();
  return bytes;
}

std::string MetricsPage::joined() const {
  std::string whole;
  whole.reserve(size());
  for (const Part& piece : pieces)
    whole += *piece;
  return whole;
}

Exposition::Exposition(const Board& board, OwnFamilies own) : board_(board), own_(std::move(own)) {
  for (const MetricSpec& metric : metric_table().first(kImageMetricCount)) {
    for (const TextFormat format : kFormats) {
      std::string text;
      append_head(text, metric, format);
      Head& head = families_.at(static_cast<std::size_t>(metric.id)).heads.at(index(format));
      head.gzip = gzip_piece(text);
      head.text = std::make_shared<const std::string>(std::move(text));
    }
  }
}

MetricsPage Exposition::page(TextFormat format, Encoding encoding) {
  std::string own;
  if (own_) own_(own, format);
  own += page_end(format);
  MetricsPage page;
  GzipStream gzip;
  if (encoding == Encoding::gzip) page.pieces.push_back(GzipStream::begin());
  {
    const std::lock_guard lock(mutex_);
    refresh(encoding);
    add_images(page, gzip, format, encoding);
  }
  if (encoding == Encoding::identity) {
    page.pieces.push_back(std::make_shared<const std::string>(std::move(own)));
    return page;
  }
  const GzipPiece tail = gzip_piece(own);
  gzip.add(tail);
  page.pieces.push_back(std::make_shared<const std::string>(*tail.bytes + gzip.end()));
  return page;
}

bool Exposition::is_ready(const Family& family, std::uint64_t version, Encoding encoding) const {
  return family.version == version &&
         (encoding == Encoding::gzip ? family.gzip.bytes != nullptr : family.text != nullptr);
}

/// Brings every family to one and the same moment of the board.
void Exposition::refresh(Encoding encoding) {
  const ImageVersions now = board_.versions();
  bool ready = true;
  for (std::size_t i = 0; i < families_.size(); ++i)
    ready = ready && is_ready(families_.at(i), now.at(i), encoding);
  if (ready) return;
  const Fleet fleet = board_.fleet();
  for (std::size_t i = 0; i < families_.size(); ++i) {
    Family& family = families_.at(i);
    if (is_ready(family, fleet.versions.at(i), encoding)) continue;
    render(family, static_cast<Metric>(i), fleet, encoding);
    family.version = fleet.versions.at(i);
  }
  constexpr std::size_t kKeep = 2U << 20U;
  if (scratch_.capacity() > kKeep) scratch_ = std::string();  // a large fleet pays for its own space
}

void Exposition::render(Family& family, Metric metric, const Fleet& fleet, Encoding encoding) {
  if (family.version != fleet.versions.at(static_cast<std::size_t>(metric))) {
    family.text.reset();
    family.gzip = {};
  }
  const std::string* text = family.text.get();
  if (text == nullptr) {
    scratch_.clear();
    append_image_family(scratch_, metric, fleet.views, *fleet.account_names);
    text = &scratch_;
    family.empty = scratch_.empty();
  }
  if (encoding == Encoding::gzip) {
    family.gzip = gzip_piece(*text);
  } else {
    family.text = std::make_shared<const std::string>(*text);  // a copy of just the right size
  }
}

void Exposition::add_images(MetricsPage& page, GzipStream& gzip, TextFormat format, Encoding encoding) const {
  for (const Family& family : families_) {
    if (family.empty) continue;  // a head without samples helps nobody
    const Head& head = family.heads.at(index(format));
    if (encoding == Encoding::gzip) {
      for (const GzipPiece* piece : {&head.gzip, &family.gzip}) {
        gzip.add(*piece);
        page.pieces.push_back(piece->bytes);
      }
    } else {
      page.pieces.push_back(head.text);
      page.pieces.push_back(family.text);
    }
  }
}

}  // namespace sharedrift
