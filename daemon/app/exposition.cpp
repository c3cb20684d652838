#include "app/exposition.hpp"

#include "io/memory.hpp"

#include <utility>

namespace sharedrift {

namespace {

using Bytes = std::shared_ptr<const std::string>;

/// Joins neighbours that are small: each piece is a system call and perhaps a packet of its own.
std::vector<Bytes> without_crumbs(const std::vector<Bytes>& pieces) {
  constexpr std::size_t kSmall = 4096;
  std::vector<Bytes> out;
  std::string run;
  const auto end_run = [&out, &run] {
    if (!run.empty()) out.push_back(std::make_shared<const std::string>(std::exchange(run, {})));
  };
  for (const Bytes& piece : pieces) {
    if (piece->size() < kSmall) {
      run += *piece;
    } else {
      end_run();
      out.push_back(piece);
    }
  }
  end_run();
  return out;
}

}  // namespace

std::size_t MetricsPage::size() const {
  std::size_t bytes = 0;
  for (const Bytes& piece : pieces)
    bytes += piece->size();
  return bytes;
}

std::string MetricsPage::joined() const {
  std::string whole;
  whole.reserve(size());
  for (const Bytes& piece : pieces)
    whole += *piece;
  return whole;
}

Exposition::Exposition(const Board& board, OwnFamilies own) : board_(board), own_(std::move(own)) {}

MetricsPage Exposition::page(TextFormat format, Encoding encoding) {
  std::string own;
  if (own_) own_(own, format);
  own += page_end(format);
  std::vector<Bytes> pieces;
  const std::lock_guard lock(mutex_);
  refresh(format, encoding);
  if (encoding == Encoding::gzip) {
    GzipStream gzip;
    pieces.push_back(GzipStream::begin());
    for_each_part(format, [&gzip, &pieces](const Part& part) {
      gzip.add(part.gzip);
      pieces.push_back(part.gzip.bytes);
    });
    const GzipPiece tail = packer_.pack(own);
    gzip.add(tail);
    pieces.push_back(std::make_shared<const std::string>(*tail.bytes + gzip.end()));
  } else {
    for_each_part(format, [&pieces](const Part& part) { pieces.push_back(part.text); });
    pieces.push_back(std::make_shared<const std::string>(std::move(own)));
  }
  return {without_crumbs(pieces)};
}

template <class Visit>
void Exposition::for_each_part(TextFormat format, Visit visit) const {
  for (std::size_t i = 0; i < families_.size(); ++i)
    visit(families_.at(i).parts.at(slot(static_cast<Metric>(i), format)));
}

std::size_t Exposition::slot(Metric metric, TextFormat format) {
  return same_head_in_all_formats(spec(metric)) ? 0 : static_cast<std::size_t>(format);
}

bool Exposition::is_ready(const Part& part, Encoding encoding) {
  return encoding == Encoding::gzip ? part.gzip.bytes != nullptr : part.text != nullptr;
}

/// Brings every family to one and the same moment of the board.
void Exposition::refresh(TextFormat format, Encoding encoding) {
  const auto ready = [this, format, encoding](std::size_t i, const ImageVersions& now) {
    const Family& family = families_.at(i);
    return family.version == now.at(i) &&
           is_ready(family.parts.at(slot(static_cast<Metric>(i), format)), encoding);
  };
  const ImageVersions now = board_.versions();
  bool all_ready = true;
  for (std::size_t i = 0; i < families_.size(); ++i)
    all_ready = all_ready && ready(i, now);
  if (all_ready) return;
  const Fleet fleet = board_.fleet();
  for (std::size_t i = 0; i < families_.size(); ++i) {
    if (!ready(i, fleet.versions)) render(static_cast<Metric>(i), fleet, format, encoding);
  }
  constexpr std::size_t kKeep = 2U << 20U;
  if (scratch_.capacity() > kKeep) scratch_ = std::string();  // a large fleet pays for its own space
}

void Exposition::render(Metric metric, const Fleet& fleet, TextFormat format, Encoding encoding) {
  const auto i = static_cast<std::size_t>(metric);
  Family& family = families_.at(i);
  if (family.version != fleet.versions.at(i)) family = Family{fleet.versions.at(i), {}};
  Part& part = family.parts.at(slot(metric, format));
  const std::string* text = part.text.get();
  if (text == nullptr) {
    scratch_.clear();
    append_head(scratch_, spec(metric), format);
    const std::size_t head = scratch_.size();
    append_image_family(scratch_, metric, fleet.views, *fleet.account_names);
    if (scratch_.size() == head) scratch_.clear();  // a head without samples helps nobody
    text = &scratch_;
  }
  if (encoding == Encoding::gzip) {
    part.gzip = packer_.pack(*text);
  } else if (scratch_.size() >= kMappedBlock) {  // what it has reserved and not written is no memory
    part.text = std::make_shared<const std::string>(std::exchange(scratch_, {}));
  } else {
    part.text = std::make_shared<const std::string>(*text);  // a copy of just the right size
  }
}

}  // namespace sharedrift
