#include "metrics/exposition.hpp"

#include <algorithm>
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

/// For each block the moment its lines of the family are of; for a family of the whole fleet the last of
/// them.
std::vector<std::uint64_t> versions_of(Metric metric, const std::vector<Block>& blocks) {
  std::vector<std::uint64_t> versions;
  versions.reserve(blocks.size() + 1);
  for (const Block& block : blocks)
    versions.push_back(block.versions.at(static_cast<std::size_t>(metric)));
  if (!is_of_whole_fleet(metric)) return versions;
  return {versions.empty() ? 0 : *std::max_element(versions.begin(), versions.end())};
}

std::vector<ViewPtr> all_views(const std::vector<Block>& blocks) {
  std::vector<ViewPtr> views;
  for (const Block& block : blocks)
    views.insert(views.end(), block.views.begin(), block.views.end());
  return views;
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
  // What another's rendering brought while this one waited is new enough: nothing that changed before the
  // request is missing from it.
  const std::uint64_t asked = board_.moment();
  const std::lock_guard lock(mutex_);
  asked_.at(static_cast<std::size_t>(encoding)) = true;
  if (!last_ || last_->encoding != encoding || last_->moment < asked) refresh(encoding);
  if (encoding == Encoding::gzip) return {without_crumbs(gzip_pieces(format, own))};
  std::vector<Bytes> pieces = text_pieces(format);
  pieces.push_back(std::make_shared<const std::string>(std::move(own)));
  return {without_crumbs(pieces)};
}

void Exposition::forget_unasked() {
  const std::lock_guard lock(mutex_);
  for (const Encoding encoding : {Encoding::identity, Encoding::gzip}) {
    if (std::exchange(asked_.at(static_cast<std::size_t>(encoding)), false)) continue;
    if (last_ && last_->encoding == encoding) last_.reset();
    for (Family& family : families_) {
      if (encoding == Encoding::gzip) family.zipped = {};
      for (Lines& lines : family.blocks)
        lines.part.forget(encoding);
    }
  }
}

std::vector<Bytes> Exposition::text_pieces(TextFormat format) {
  std::vector<Bytes> pieces;
  for (std::size_t i = 0; i < families_.size(); ++i) {
    const std::vector<Lines>& blocks = families_.at(i).blocks;
    const auto has_lines = [](const Lines& lines) { return !lines.part.text->empty(); };
    if (std::none_of(blocks.begin(), blocks.end(), has_lines)) continue;  // a head alone helps nobody
    pieces.push_back(head(static_cast<Metric>(i), format, Encoding::identity).text);
    for (const Lines& lines : blocks)
      pieces.push_back(lines.part.text);
  }
  return pieces;
}

std::vector<Bytes> Exposition::gzip_pieces(TextFormat format, const std::string& own) {
  GzipStream gzip;
  std::vector<Bytes> pieces{GzipStream::begin()};
  const auto add = [&gzip, &pieces](const GzipPiece& piece) {
    gzip.add(piece);
    pieces.push_back(piece.bytes);
  };
  for (std::size_t i = 0; i < families_.size(); ++i) {
    Family& family = families_.at(i);
    if (family.zipped.bytes == nullptr) {
      std::vector<GzipPiece> blocks;
      for (const Lines& lines : family.blocks)
        blocks.push_back(lines.part.gzip);
      family.zipped = join(blocks);
    }
    if (family.zipped.length == 0) continue;
    add(head(static_cast<Metric>(i), format, Encoding::gzip).gzip);
    add(family.zipped);
  }
  add(packer_.pack(own));
  pieces.push_back(std::make_shared<const std::string>(gzip.end()));
  return pieces;
}

const Exposition::Part& Exposition::head(Metric metric, TextFormat format, Encoding encoding) {
  Part& part = families_.at(static_cast<std::size_t>(metric)).heads.at(static_cast<std::size_t>(format));
  if (!part.has(encoding)) {
    std::string text;
    append_head(text, spec(metric), format);
    fill(part, text, encoding);
  }
  return part;
}

/// Brings every family to one and the same moment of the board.
void Exposition::refresh(Encoding encoding) {
  const BlockReading reading = board_.read_blocks(
      [this, encoding](const std::vector<Block>& blocks) { return stale_blocks(blocks, encoding); });
  for (std::size_t i = 0; i < families_.size(); ++i)
    render(static_cast<Metric>(i), reading, encoding);
  last_ = {reading.moment, encoding};
}

std::vector<bool> Exposition::stale_blocks(const std::vector<Block>& blocks, Encoding encoding) const {
  std::vector<bool> stale(blocks.size());
  for (std::size_t i = 0; i < families_.size(); ++i) {
    const auto metric = static_cast<Metric>(i);
    const std::vector<Lines>& kept = families_.at(i).blocks;
    const std::vector<std::uint64_t> versions = versions_of(metric, blocks);
    for (std::size_t n = 0; n < versions.size(); ++n) {
      if (n < kept.size() && kept[n].are_of(versions[n], encoding)) continue;
      if (is_of_whole_fleet(metric)) {
        stale.assign(blocks.size(), true);
        return stale;
      }
      stale[n] = true;
    }
  }
  return stale;
}

void Exposition::render(Metric metric, const BlockReading& reading, Encoding encoding) {
  Family& family = families_.at(static_cast<std::size_t>(metric));
  const std::vector<std::uint64_t> versions = versions_of(metric, reading.blocks);
  if (family.blocks.size() > versions.size()) family.zipped = {};
  family.blocks.resize(versions.size());
  for (std::size_t n = 0; n < versions.size(); ++n) {
    Lines& lines = family.blocks[n];
    if (lines.are_of(versions[n], encoding)) continue;
    family.zipped = {};
    if (lines.version != versions[n]) lines = {versions[n], {}};
    if (lines.part.text == nullptr) {
      scratch_.clear();
      append_image_family(scratch_, metric,
                          is_of_whole_fleet(metric) ? all_views(reading.blocks) : reading.blocks[n].views,
                          *reading.account_names);
    }
    fill(lines.part, lines.part.text ? *lines.part.text : scratch_, encoding);
  }
}

void Exposition::fill(Part& part, const std::string& text, Encoding encoding) {
  if (encoding == Encoding::gzip) {
    part.gzip = packer_.pack(text);
  } else {
    part.text = std::make_shared<const std::string>(text);  // a copy of just the right size
  }
}

}  // namespace sharedrift
