#include "http_server/connection.hpp"

#include "core/number.hpp"
#include "core/text.hpp"
#include "http_server/request_head.hpp"

#include <algorithm>
#include <array>

#include <poll.h>

namespace sharedrift {

namespace {

constexpr int kStepsInATurn = 32;  // then it is the others' turn
constexpr std::size_t kSentInATurn = 1U << 17U;
constexpr std::size_t kReadAtATime = 16'384;  // a record of TLS's: what is left of one would wait unseen
constexpr std::size_t kProgress = 1U << 16U;
constexpr Millis kFarewell{1'000};
/// So long nobody loses his place who gives no sign; twice as long who has shown that he speaks TLS.
constexpr Millis kMinimumAge{250};

/// What the head says of the body's size; 0 if that is no number.
std::size_t declared_size(std::string_view head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  const auto found = std::search(head.begin(), head.end(), kName.begin(), kName.end(),
                                 [](char a, char b) { return to_lower(a) == b; });
  if (found == head.end()) return 0;
  std::string_view value = head.substr(static_cast<std::size_t>(found - head.begin()) + kName.size());
  return parse_number<std::size_t>(trim(value.substr(0, value.find('\r')))).value_or(0);
}

}  // namespace

Connection::Connection(int fd, ssl_ctx_st* tls, const ServerOptions& options, Peer peer, MonoTime now)
    : channel_(fd, tls),
      options_(options),
      peer_(std::move(peer)),
      since_(now),
      deadline_(now + options.head_deadline) {}

void Connection::enter(Phase phase, MonoTime now) {
  phase_ = phase;
  since_ = now;
}

MonoTime Connection::wakes_at() const {
  return phase_ == Phase::delayed ? std::min(delayed_until_, deadline_) : deadline_;
}

short Connection::wanted() const {
  const bool waits = phase_ == Phase::complete || phase_ == Phase::waiting || phase_ == Phase::delayed;
  if (waits) return has_left_ ? short{0} : short{POLLRDHUP};
  return channel_.wanted();
}

void Connection::note(short events) {
  const bool waits = phase_ == Phase::complete || phase_ == Phase::waiting || phase_ == Phase::delayed;
  if (waits && (events & (POLLERR | POLLHUP)) != 0) phase_ = Phase::over;
  if ((events & POLLRDHUP) != 0) has_left_ = true;
}

bool Connection::may_lose_place(MonoTime now) const {
  if (phase_ == Phase::idle || phase_ == Phase::closing || has_left_) return true;
  if (phase_ != Phase::reading && phase_ != Phase::writing) return false;
  const bool speaks_tls = channel_.has_tls() && !channel_.is_shaking_hands();
  return now - since_ >= (speaks_tls ? 2 : 1) * kMinimumAge;
}

void Connection::advance(MonoTime now) {
  if (now >= deadline_) {
    if (phase_ == Phase::reading || phase_ == Phase::writing) refusal_ = Refusal::too_slow;
    phase_ = Phase::over;
  }
  for (int steps = 0; steps < kStepsInATurn && step(now); ++steps) {
  }
}

/// False: nothing to do until something happens.
bool Connection::step(MonoTime now) {
  switch (phase_) {
    case Phase::idle:
    case Phase::reading: return receive(now);
    case Phase::delayed:
      if (now < delayed_until_) return false;
      enter(Phase::writing, now);
      return true;
    case Phase::writing: return send(now);
    case Phase::closing: return discard();
    default: return false;
  }
}

bool Connection::receive(MonoTime now) {
  if (find_request(now)) return true;
  if (channel_.is_shaking_hands() && channel_.speaks_plain_text()) {
    channel_.drop_tls();
    refuse(400, "Client sent an HTTP request to an HTTPS server.\n", Refusal::plain_http, now);
    return true;
  }
  std::array<char, kReadAtATime> piece;
  const bool shook_hands = channel_.is_shaking_hands();
  const ssize_t size = channel_.read(piece);
  if (size < 0) phase_ = Phase::over;
  if (size < 0 && shook_hands)
    refusal_ = channel_.lacks_certificate() ? Refusal::client_certificate : Refusal::tls_handshake;
  if (shook_hands && !channel_.is_shaking_hands()) since_ = now;
  if (size <= 0) return false;
  if (phase_ == Phase::idle) {
    enter(Phase::reading, now);
    deadline_ = now + options_.head_deadline;
  }
  input_.append(piece.data(), static_cast<std::size_t>(size));
  return true;
}

/// True if there is one, or one was refused.
bool Connection::find_request(MonoTime now) {
  if (head_size_ == 0) {
    const std::size_t end = input_.find("\r\n\r\n");
    if (find_bare_line_end(input_) < end) {  // the end that others see may never come
      refuse(400, "A line ends without CRLF.\n", Refusal::bad_request, now);
      return true;
    }
    if (std::min(end, input_.size()) > options_.max_head) {
      const bool is_long_target = input_.find('\r') > options_.max_head;
      refuse(is_long_target ? 414 : 431, "The request is too long.\n", Refusal::bad_request, now);
      return true;
    }
    if (end == std::string::npos) return false;
    head_size_ = end + 4;
    body_size_ = declared_size(std::string_view(input_).substr(0, head_size_));
    if (body_size_ > options_.max_body) body_size_ = 0;  // refused by whoever answers
  }
  if (input_.size() < head_size_ + body_size_) return false;
  deadline_ = MonoTime::max();  // from here on it is not the peer who takes long
  enter(Phase::complete, now);
  return true;
}

std::shared_ptr<const Connection::Request> Connection::take_request() {
  phase_ = Phase::waiting;
  if (request_) return request_;
  request_ = std::make_shared<Request>();
  request_->head = input_.substr(0, head_size_);
  ServerRequest& known = request_->known;
  known.body = input_.substr(head_size_, body_size_);
  known.remote_address = peer_.address;
  known.loopback = peer_.loopback;
  known.tls = channel_.has_tls();
  input_.erase(0, head_size_ + body_size_);
  head_size_ = body_size_ = 0;
  return request_;
}

void Connection::refuse(int status, const char* why, Refusal refusal, MonoTime now) {
  const auto no = [&](const ServerRequest&) {
    ServerResponse response = ServerResponse::text(status, why);
    if (status == 503) response.headers.emplace_back("Retry-After", "1");
    return response;
  };
  answer(answer_request("GET / HTTP/1.0\r\n\r\n", {}, no, false), now);
  refusal_ = refusal;
}

void Connection::answer(HttpAnswer answer, MonoTime now) {
  if (answer.is_refusal) refusal_ = Refusal::bad_request;
  if (phase_ != Phase::writing) deadline_ = now + answer.delay + options_.answer_deadline;
  answer_ = std::move(answer);
  request_.reset();
  part_ = offset_ = progress_ = 0;
  delayed_until_ = now + answer_.delay;
  enter(Phase::delayed, now);
}

std::span<const std::shared_ptr<const std::string>> Connection::unsent() const {
  return std::span(answer_.parts).subspan(part_);
}

/// What comes next, at least one record of TLS's; small parts are joined, so that they share packets.
std::string_view Connection::next_piece(std::span<char> buffer) const {
  std::size_t size = 0;
  for (std::size_t part = part_; part < answer_.parts.size() && size < buffer.size(); ++part) {
    const std::string_view rest = std::string_view(*answer_.parts[part]).substr(part == part_ ? offset_ : 0);
    if (size == 0 && rest.size() >= buffer.size()) return rest;
    size += rest.copy(buffer.data() + size, buffer.size() - size);
  }
  return {buffer.data(), size};
}

bool Connection::send(MonoTime now) {
  std::array<char, kReadAtATime> buffer;
  std::size_t sent = 0;
  for (auto piece = next_piece(buffer); !piece.empty(); piece = next_piece(buffer)) {
    if (sent >= kSentInATurn) return false;
    const ssize_t size = channel_.write(piece);
    if (size < 0) phase_ = Phase::over;
    if (size <= 0) return false;
    sent += static_cast<std::size_t>(size);
    note_sent(static_cast<std::size_t>(size), now);
  }
  if (!answer_.raw) return end_answer(now);
  auto [bytes, pause] = answer_.raw();
  if (bytes.empty()) return end_answer(now);
  HttpAnswer next = std::move(answer_);
  next.parts = {std::make_shared<const std::string>(std::move(bytes))};
  next.delay = pause;
  answer(std::move(next), now);
  return true;
}

void Connection::note_sent(std::size_t size, MonoTime now) {
  progress_ += size;
  if (progress_ >= kProgress) {
    progress_ = 0;
    since_ = now;
  }
  for (offset_ += size; part_ < answer_.parts.size() && offset_ >= answer_.parts[part_]->size(); ++part_)
    offset_ -= answer_.parts[part_]->size();
}

bool Connection::end_answer(MonoTime now) {
  const HttpAnswer ended = std::exchange(answer_, {});
  if (!ended.closes) {
    enter(input_.empty() ? Phase::idle : Phase::reading, now);
    deadline_ = now + (input_.empty() ? options_.idle_deadline : options_.head_deadline);
    return true;
  }
  if (ended.reset) channel_.reset_at_close();
  if (!ended.reset) channel_.finish(ended.raw != nullptr);
  enter(ended.reset ? Phase::over : Phase::closing, now);
  deadline_ = now + kFarewell;
  return true;
}

bool Connection::discard() {
  std::array<char, kReadAtATime> piece;
  const ssize_t size = channel_.read(piece);
  if (size < 0) phase_ = Phase::over;
  return size > 0;
}

}  // namespace sharedrift
