#include "metrics/exposition.hpp"

#include "core/text.hpp"

#include <string_view>
#include <utility>

namespace sharedrift {

namespace {

std::size_t kind_of(TextFormat format, Encoding encoding) {
  return 2 * static_cast<std::size_t>(format) + static_cast<std::size_t>(encoding);
}

/// The lines of a family. What is the same in all of them is made once.
void append_samples(std::string& out, const ImageFamily& family, const Fleet& fleet) {
  std::vector<std::string> between;  // as far as the id, and from each label to the next
  for (const std::string_view label : label_names(family.spec)) {
    between.push_back((between.empty() ? std::string(family.spec.name) + "{" : std::string("\",")) +
                      std::string(label) + "=\"");
  }
  constexpr std::size_t kLongLine = 120;
  out.reserve(out.size() + fleet.views.size() * kLongLine);
  for_each_sample(family, fleet.views, *fleet.account_names,
                  [&out, &between](const ImageView& view, const ImageSample& sample) {
                    out.append(between[0]).append(view.policy->id.str());
                    for (std::size_t i = 1; i < between.size(); ++i) {
                      out.append(between[i]);
                      append_label_value(out, sample.labels.at(i - 1));
                    }
                    out.append("\"} ");
                    append_number(out, sample.value);
                    out += '\n';
                  });
}

/// A family with its head, into `text`; nothing if it has no samples.
void write_family(std::string& text, const ImageFamily& family, const Fleet& fleet, TextFormat format) {
  append_head(text, family.spec, format);
  const std::size_t head = text.size();
  append_samples(text, family, fleet);
  if (text.size() == head) text.clear();
}

void write_fleet(std::string& text, const Fleet& fleet, TextFormat format) {
  for (const FleetFamily& family : fleet_families()) {
    append_head(text, family.spec, format);
    append_number(text.append(family.spec.name).append(" "), family.value(fleet.views));
    text += '\n';
  }
}

}  // namespace

Exposition::Exposition(const ViewStore& views, const prometheus::Collectable* own)
    : views_(views), own_(own), families_(image_families().size() + 1) {}

MetricsPage Exposition::page(TextFormat format, Encoding encoding) {
  std::string own;
  if (own_ != nullptr) append_families(own, own_->Collect(), format);
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
    return {gzip_member(pieces)};
  }
  MetricsPage page;
  for (const GzipPiece& piece : pieces)
    page.pieces.push_back(piece.bytes);
  page.pieces.push_back(std::make_shared<const std::string>(std::move(own)));
  return page;
}

/// Brings every family of this format and encoding to one and the same version of the store.
void Exposition::refresh(TextFormat format, Encoding encoding) {
  const std::size_t kind = kind_of(format, encoding);
  const Fleet fleet = views_.fleet();
  const auto images = image_families();
  std::string text;  // of one family after another: new memory for each took a third of the time
  for (std::size_t i = 0; i < families_.size(); ++i) {
    Family& family = families_[i];
    const std::uint64_t version = i < images.size() ? fleet.versions[i] : fleet.version;
    if (family.version != version) {
      family = {version, {}};
      versions_ = {};
    }
    GzipPiece& piece = family.pieces.at(kind);
    if (piece.bytes != nullptr) continue;
    text.clear();
    if (i < images.size()) {
      write_family(text, images[i], fleet, format);
    } else {
      write_fleet(text, fleet, format);
    }
    if (encoding == Encoding::gzip) {
      piece = gzip_piece(text);
    } else {
      piece.bytes = std::make_shared<const std::string>(text);
    }
  }
  versions_.at(kind) = fleet.version;
}

}  // namespace sharedrift
