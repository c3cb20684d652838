#pragma once

#include "http_server/channel.hpp"
#include "http_server/http_answer.hpp"
#include "http_server/sockets.hpp"

#include <optional>
#include <string>
#include <utility>

namespace sharedrift {

/// One client: reads its requests, sends it the answers, and never waits for it. Not thread-safe.
class Connection {
 public:
  enum class Phase {
    reading,   ///< a request; of TLS, its handshake first
    complete,  ///< a request is there: take_request()
    waiting,   ///< for answer()
    delayed,   ///< there is an answer, not to be sent yet
    writing,   ///< the answer
    idle,      ///< between two requests
    closing,   ///< until the peer closes, too: a close with input unread would sweep away the answer
    over       ///< to be closed
  };

  /// Takes over the socket `fd`. `tls` null: no TLS. `options` must outlive the object.
  Connection(int fd, ssl_ctx_st* tls, const ServerOptions& options, Peer peer, MonoTime now);

  /// Goes on as far as it can without waiting; not before poll() found what is wanted, or wakes_at().
  void advance(MonoTime now);
  [[nodiscard]] Phase phase() const { return phase_; }
  /// Since when nothing came of it: the phase began, or the peer took another 64 KiB of its answer.
  [[nodiscard]] MonoTime since() const { return since_; }
  [[nodiscard]] MonoTime wakes_at() const;
  /// For poll(); 0: nothing.
  [[nodiscard]] short wanted() const;
  /// What poll() found, before advance().
  void note(short events);
  /// The peer sends no more. Most who do so have gone, but some wait for their answer.
  [[nodiscard]] bool has_left() const { return has_left_; }
  [[nodiscard]] const Channel& channel() const { return channel_; }
  [[nodiscard]] const Peer& peer() const { return peer_; }
  /// Nothing comes of it, for so long that others may have its place, or its peer has_left().
  [[nodiscard]] bool may_lose_place(MonoTime now) const;
  /// Why it was refused, if it was since the last call.
  std::optional<Refusal> take_refusal() { return std::exchange(refusal_, std::nullopt); }

  struct Request {
    std::string head;
    ServerRequest known;
  };
  /// Of a complete request; stays the same until it is answered.
  std::shared_ptr<const Request> take_request();
  /// The request that was taken is complete again.
  void postpone(MonoTime now) { enter(Phase::complete, now); }
  /// Of the answer, those parts that are not sent.
  [[nodiscard]] std::span<const std::shared_ptr<const std::string>> unsent() const;
  /// Sends it, in its time.
  void answer(HttpAnswer answer, MonoTime now);
  /// Answers so, and ends it.
  void refuse(int status, const char* why, Refusal refusal, MonoTime now);

 private:
  bool step(MonoTime now);
  void enter(Phase phase, MonoTime now);
  bool receive(MonoTime now);
  [[nodiscard]] bool find_request(MonoTime now);
  bool send(MonoTime now);
  [[nodiscard]] std::string_view next_piece(std::span<char> buffer) const;
  void note_sent(std::size_t size, MonoTime now);
  bool end_answer(MonoTime now);
  bool discard();

  Channel channel_;
  const ServerOptions& options_;
  const Peer peer_;
  Phase phase_ = Phase::reading;
  MonoTime since_;
  MonoTime deadline_;
  std::string input_;          ///< received and not taken yet
  std::size_t head_size_ = 0;  ///< of the request at its start; 0: not known yet
  std::size_t body_size_ = 0;
  std::shared_ptr<Request> request_;  ///< taken and not answered
  HttpAnswer answer_;
  std::size_t part_ = 0;      ///< of the answer, the first that is not wholly sent
  std::size_t offset_ = 0;    ///< sent of it
  std::size_t progress_ = 0;  ///< bytes sent since since_
  MonoTime delayed_until_;
  bool has_left_ = false;
  std::optional<Refusal> refusal_;
};

}  // namespace sharedrift
