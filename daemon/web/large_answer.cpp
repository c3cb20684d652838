#include "web/large_answer.hpp"

#include "core/ids.hpp"

#include <algorithm>

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
  if (auto found = find(*answer)) return found;
  const WallTime began = clock_();
  auto body = std::make_shared<const AnswerBody>(make());
  keep(*answer, body, began);
  return body;
}

/// What it has, if it is fresh. What is too old, of all, is not kept any longer.
std::shared_ptr<const AnswerBody> SharedAnswers::find(Answer& answer) {
  const std::scoped_lock lock(mutex_);
  const WallTime now = clock_();
  for (auto& [what, other] : answers_) {
    if (now < other.made || now - other.made >= other.kept_for) other.kept.reset();
  }
  auto sent = answer.body.lock();
  const Millis age = now - answer.made;
  const bool fresh = sent && age >= Millis{0} && age < (sent->size >= kLarge ? kFresh : answer.kept_for);
  if (!fresh) answer.kept.reset();
  return fresh ? sent : nullptr;
}

/// The oldest go where there is no room for all.
void SharedAnswers::keep(Answer& answer, std::shared_ptr<const AnswerBody> body, WallTime made) {
  const auto bytes_of = [](const AnswerBody& kept) {
    std::size_t bytes = 0;
    for (const auto& piece : kept.pieces)
      bytes += piece->size();
    return bytes;
  };
  const std::scoped_lock lock(mutex_);
  answer.body = body;
  answer.made = made;
  answer.kept_for = std::min(kShare * (clock_() - made), kFresh);
  answer.kept = std::move(body);
  std::vector<Answer*> kept;
  for (auto& [what, other] : answers_) {
    if (other.kept) kept.push_back(&other);
  }
  std::sort(kept.begin(), kept.end(), [](const Answer* a, const Answer* b) { return a->made > b->made; });
  std::size_t bytes = 0;
  for (Answer* each : kept) {
    const std::size_t own = bytes_of(*each->kept);
    if (bytes + own > kMostKept) {
      each->kept.reset();
    } else {
      bytes += own;
    }
  }
}

}  // namespace sharedrift
