#pragma once

#include "core/non_copyable.hpp"

#include <memory>
#include <span>
#include <string_view>

#include <poll.h>
#include <sys/types.h>

struct bio_st;      ///< OpenSSL's BIO
struct ssl_ctx_st;  ///< OpenSSL's SSL_CTX
struct ssl_st;      ///< OpenSSL's SSL

namespace sharedrift {

/// The bytes of a connection, with or without TLS. Never waits: what cannot be done now returns 0, and
/// wanted() says what to poll for. -1: the connection is over. SIGPIPE must be ignored. Not thread-safe.
class Channel : NonCopyable {
 public:
  /// Takes over the non-blocking socket `fd`. `context` null: no TLS.
  Channel(int fd, ssl_ctx_st* context);

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool has_tls() const { return tls_ != nullptr; }
  /// What TLS began with; null without.
  [[nodiscard]] ssl_ctx_st* context() const;
  /// In the TLS handshake, which the first reads carry on.
  [[nodiscard]] bool is_shaking_hands() const;
  /// The peer has begun with a letter, which no handshake does.
  [[nodiscard]] bool speaks_plain_text();
  /// The handshake failed, and over the peer's certificate: it had none, or not the right one.
  [[nodiscard]] bool lacks_certificate() const { return lacks_certificate_; }
  /// From now on plain.
  void drop_tls();
  /// Takes a few records of TLS's at most: with a 0 there may be more.
  ssize_t read(std::span<char> out);
  /// Sends the start of `data` and says how much. After a 0 the same must be offered again.
  ssize_t write(std::string_view data);
  /// Nothing more will be written. `rudely`: without TLS's goodbye.
  void finish(bool rudely);
  /// The close will be a reset.
  void reset_at_close();
  /// What the last call waits for, or can go on with: POLLIN or POLLOUT.
  [[nodiscard]] short wanted() const { return wanted_; }

 private:
  ssize_t settle(int result);

  struct FreeBio {
    void operator()(bio_st* bio) const;
  };
  const int fd_;
  int reads_left_ = 0;  ///< of the socket, in this read()
  std::unique_ptr<bio_st, FreeBio> bio_;
  ssl_st* tls_ = nullptr;
  short wanted_ = POLLIN;
  bool begun_ = false;  ///< something came
  bool lacks_certificate_ = false;
};

}  // namespace sharedrift
