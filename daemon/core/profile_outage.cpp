#include "core/profile_outage.hpp"

#include <algorithm>

namespace sharedrift {

namespace {
/// An outage that goes on is told again when each image has failed so many times more.
constexpr int kToldAgainEvery = 20;
}  // namespace

ProfileOutage::Advice ProfileOutage::on_poll(const Poll& poll, std::size_t images, Instant now,
                                             Millis cycle) {
  const bool was_quiet = quiet_.erase(poll.image) > 0;
  if (!poll.complete) return on_failure(poll, images, now, cycle, was_quiet);
  Advice advice;
  advice.quiet = was_quiet;
  if (phase_ == Phase::blind) {
    advice.news = Advice::News::recovered;
    blind_images_ = failing_.size();
    for (const auto& [image, failing] : failing_)
      quiet_.insert(image);
    advice.quiet = quiet_.erase(poll.image) > 0;
  } else {
    failing_.erase(poll.image);
    advice.owed = untold();
  }
  end();
  return advice;
}

ProfileOutage::Advice ProfileOutage::on_failure(const Poll& poll, std::size_t images, Instant now,
                                                Millis cycle, bool was_quiet) {
  Advice advice;
  if (poll.state == ImageState::gone || poll.state == ImageState::invalid) {  // the image's own trouble
    failing_.erase(poll.image);
    if (failing_.empty()) end();
    return advice;
  }
  if (phase_ == Phase::blind) {
    advice.quiet = true;
    failing_[poll.image].state = poll.state;
    const bool repeats = poll.image == example() && ++again_ >= kToldAgainEvery;
    const bool turned =
        poll.state != state_ && std::all_of(failing_.begin(), failing_.end(), [&poll](const auto& failing) {
          return failing.second.state == poll.state;
        });
    if (turned) state_ = poll.state;
    if (repeats || turned) become_blind(advice);
    return advice;
  }
  if (phase_ == Phase::suspected && poll.state != state_) {
    advice.owed = untold();
    end();
  }
  if (phase_ == Phase::clear) {
    begin(poll, now, cycle);
    if (was_quiet && !poll.telling) advice.owed.push_back(poll.image);
    return advice;
  }
  const auto [place, fresh] = failing_.try_emplace(poll.image, Failing{poll.state, false});
  advice.quiet = !place->second.told;
  if (failing_.size() >= images && images > 1) become_blind(advice);
  return advice;
}

void ProfileOutage::begin(const Poll& poll, Instant now, Millis cycle) {
  phase_ = Phase::suspected;
  state_ = poll.state;
  since_ = now;
  until_ = now.mono + cycle;
  failing_.emplace(poll.image, Failing{poll.state, true});
}

void ProfileOutage::become_blind(Advice& advice) {
  phase_ = Phase::blind;
  until_ = MonoTime::max();
  blind_images_ = failing_.size();
  again_ = 0;
  advice.news = Advice::News::blind;
}

ProfileOutage::Advice ProfileOutage::on_time(MonoTime now) {
  Advice advice;
  if (now < until_) return advice;
  if (failing_.size() > 1) {
    become_blind(advice);
  } else {
    end();  // the only one was told
  }
  return advice;
}

MonoTime ProfileOutage::next_deadline() const {
  return until_;
}

void ProfileOutage::forget(const std::function<bool(const ImageId&)>& unwatched) {
  std::erase_if(failing_, [&unwatched](const auto& failing) { return unwatched(failing.first); });
  std::erase_if(quiet_, unwatched);
  if (failing_.empty()) end();
}

void ProfileOutage::end() {
  phase_ = Phase::clear;
  until_ = MonoTime::max();
  failing_.clear();
}

std::vector<ImageId> ProfileOutage::untold() const {
  std::vector<ImageId> images;
  for (const auto& [image, failing] : failing_) {
    if (!failing.told) images.push_back(image);
  }
  return images;
}

}  // namespace sharedrift
