#include "metrics/exposition.hpp"

#include <utility>

namespace sharedrift {

namespace {

using Bytes = std::shared_ptr<const std::string>;

std::size_t kind_of(TextFormat format, Encoding encoding) {
  return 2 * static_cast<std::size_t>(format) + static_cast<std::size_t>(encoding);
}

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

/// A family with its head, as text; nothing if it has no samples.
std::string family_text(Metric metric, const Fleet& fleet, TextFormat format) {
  std::string text;
  append_head(text, spec(metric), format);
  const std::size_t head = text.size();
  append_image_family(text, metric, fleet.views, *fleet.account_names);
  if (text.size() == head) return {};
  text.shrink_to_fit();
  return text;
}

}  // namespace

std::string MetricsPage::joined() const {
  std::string whole;
  for (const Bytes& piece : pieces)
    whole += *piece;
  return whole;
}

Exposition::Exposition(const ViewStore& views, OwnFamilies own) : views_(views), own_(std::move(own)) {}

MetricsPage Exposition::page(TextFormat format, Encoding encoding) {
  std::string own;
  if (own_) own_(own, format);
  own += page_end(format);
  const std::size_t kind = kind_of(format, encoding);
  // What another's rendering brought while this one waited is new enough: nothing that changed before the
  // request is missing from it.
  const std::uint64_t asked = views_.version();
  std::vector<GzipPiece> pieces;
  {
    const std::lock_guard lock(mutex_);
    if (versions_.at(kind) < asked) refresh(format, encoding);
    for (const Family& family : families_)
      pieces.push_back(family.pieces.at(kind));
  }
  if (encoding == Encoding::gzip) {
    pieces.push_back(gzip_piece(own));
    return {without_crumbs(gzip_member(pieces))};
  }
  std::vector<Bytes> texts;
  for (const GzipPiece& piece : pieces)
    texts.push_back(piece.bytes);
  texts.push_back(std::make_shared<const std::string>(std::move(own)));
  return {without_crumbs(texts)};
}

/// Brings every family of this format and encoding to one and the same version of the store.
void Exposition::refresh(TextFormat format, Encoding encoding) {
  const std::size_t kind = kind_of(format, encoding);
  const std::uint64_t version = views_.version();
  const Fleet fleet = views_.fleet();  // of this version or a later one
  for (std::size_t i = 0; i < families_.size(); ++i) {
    Family& family = families_.at(i);
    if (family.version != fleet.versions.at(i)) {
      family = {fleet.versions.at(i), {}};
      versions_ = {};
    }
    GzipPiece& piece = family.pieces.at(kind);
    if (piece.bytes != nullptr) continue;
    std::string text = family_text(static_cast<Metric>(i), fleet, format);
    if (encoding == Encoding::gzip) {
      piece = gzip_piece(text);
    } else {
      piece.bytes = std::make_shared<const std::string>(std::move(text));
    }
  }
  versions_.at(kind) = version;
}

}  // namespace sharedrift
