#include "web/large_answer.hpp"

#include "core/ids.hpp"

#include <algorithm>
#include <utility>

namespace sharedrift {

void AnswerWriter::put_away() {
  hash_ = hash_ * 31 + stable_hash(text_);
  body_.size += text_.size();
  if (zip_) {
    zipped_.push_back(gzip_piece(text_));
    text_.clear();
  } else {
    text_.shrink_to_fit();
    body_.pieces.push_back(std::make_shared<const std::string>(std::move(text_)));
    text_ = std::string();
  }
}

AnswerBody AnswerWriter::finish() {
  constexpr std::size_t kWorthZipping = 1024;
  if (zipped_.empty() && text_.size() < kWorthZipping) zip_ = false;
  put_away();
  if (zip_) body_.pieces = gzip_member(zipped_);
  body_.zipped = zip_;
  body_.tag = "W/\"" + std::to_string(hash_) + "-" + std::to_string(body_.size) + "\"";
  return std::move(body_);
}

std::shared_ptr<const AnswerBody> SharedAnswers::get(const std::string& what,
                                                     const std::function<AnswerBody()>& make) {
  Answer* answer = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    answer = &answers_[what];
  }
  const std::scoped_lock one_at_a_time(answer->making);
  const WallTime now = clock_();
  const bool is_fresh = now >= answer->made && now - answer->made < answer->fresh_for;
  if (auto body = answer->body.lock(); body && is_fresh) return body;
  answer->kept.reset();
  auto body = std::make_shared<const AnswerBody>(make());
  const bool is_large = body->size >= kLarge;
  answer->body = body;
  answer->kept = is_large ? nullptr : body;
  answer->made = now;
  answer->fresh_for = is_large ? kFresh : std::min(kShare * (clock_() - now), kFresh);
  return body;
}

}  // namespace sharedrift
