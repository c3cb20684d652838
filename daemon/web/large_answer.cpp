#include "web/large_answer.hpp"

#include "core/ids.hpp"

#include <utility>

namespace sharedrift {

AnswerWriter::AnswerWriter(bool zip) {
  if (zip) packer_.emplace();
}

void AnswerWriter::put_away() {
  hash_ = hash_ * 31 + stable_hash(text_);
  body_.size += text_.size();
  if (packer_) {
    if (body_.pieces.empty()) body_.pieces.push_back(GzipStream::begin());
    const GzipPiece piece = packer_->pack(text_);
    gzip_.add(piece);
    body_.pieces.push_back(piece.bytes);
    text_.clear();
  } else {
    text_.shrink_to_fit();
    body_.pieces.push_back(std::make_shared<const std::string>(std::move(text_)));
    text_ = std::string();
  }
}

AnswerBody AnswerWriter::finish() {
  constexpr std::size_t kWorthZipping = 1024;
  if (body_.pieces.empty() && text_.size() < kWorthZipping) packer_.reset();
  put_away();
  if (packer_) body_.pieces.push_back(std::make_shared<const std::string>(gzip_.end()));
  body_.zipped = packer_.has_value();
  body_.tag = "W/\"" + std::to_string(hash_) + "-" + std::to_string(body_.size) + "\"";
  return std::move(body_);
}

std::shared_ptr<const AnswerBody> SharedAnswers::get(const std::string& what, WallTime now,
                                                     const std::function<AnswerBody()>& make) {
  Answer* answer = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    answer = &answers_[what];
  }
  const std::scoped_lock one_at_a_time(answer->making);
  if (auto body = answer->body.lock(); body && body->size >= kLarge && now - answer->made < kFresh)
    return body;
  const auto body = std::make_shared<const AnswerBody>(make());
  answer->body = body;
  answer->made = now;
  return body;
}

}  // namespace sharedrift
