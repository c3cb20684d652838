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
  const Millis age = now - answer->made;
  if (age < Millis{0} || age >= answer->kept_for) answer->kept.reset();
  if (auto sent = answer->body.lock();
      sent && age >= Millis{0} && age < (sent->size >= kLarge ? kFresh : answer->kept_for))
    return sent;
  answer->kept.reset();
  auto body = std::make_shared<const AnswerBody>(make());
  std::size_t bytes = 0;
  for (const auto& piece : body->pieces)
    bytes += piece->size();
  answer->body = body;
  answer->kept = bytes <= kMostKept ? body : nullptr;
  answer->made = now;
  answer->kept_for = std::min(kShare * (clock_() - now), kFresh);
  return body;
}

}  // namespace sharedrift
