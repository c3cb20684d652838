#pragma once

#include "core/time.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include <sys/types.h>

struct ssl_ctx_st;  ///< OpenSSL's SSL_CTX
struct ssl_st;      ///< OpenSSL's SSL

namespace sharedrift {

/// A connection, with or without TLS, behind a deadline and a cap on what the peer may send: nobody can hold
/// the thread that serves it for longer, or make it keep more. Not thread-safe.
class GuardedSocket {
 public:
  /// `fd` is put into non-blocking mode and stays the caller's.
  explicit GuardedSocket(int fd);

  /// For what follows: everything must be done by `deadline`, and the peer may send `max_input` bytes.
  void allow(MonoTime deadline, std::size_t max_input);
  void set_deadline(MonoTime deadline) { deadline_ = deadline; }
  /// The server's side of a TLS handshake. False: the connection is of no use.
  bool accept_tls(ssl_ctx_st* context);
  [[nodiscard]] bool has_tls() const { return tls_ != nullptr; }

  /// At least one byte; -1 at the end, the deadline or the cap.
  ssize_t read(char* out, std::size_t size);
  /// All of it; -1 when the peer is gone or too slow.
  ssize_t write(const char* data, std::size_t size);
  /// What is written from now on waits for more, so that small parts share a packet: until flush() or
  /// finish(), and never for longer than the kernel's 200 ms.
  void gather();
  void flush();
  /// From now on write() fails: the answer was written by somebody else.
  void seal() { sealed_ = true; }
  /// Waits for the first byte of another request.
  bool wait_for_input(Millis limit);
  /// The close will be a reset.
  void reset_at_close();
  /// Says goodbye. What the peer sent in vain is thrown away first, since a close with input unread is a
  /// reset that can take the answer with it.
  void finish();

  [[nodiscard]] int fd() const { return fd_; }
  struct Peer {
    std::string address;
    int port = 0;
  };
  [[nodiscard]] Peer peer() const;

 private:
  struct FreeTls {
    void operator()(ssl_st* tls) const;
  };
  [[nodiscard]] bool wait(short events) const;
  bool wait_tls(int result);
  bool fill();
  ssize_t receive(std::size_t size);
  ssize_t send_some(const char* data, std::size_t size);

  int fd_;
  std::unique_ptr<ssl_st, FreeTls> tls_;
  MonoTime deadline_{};
  std::size_t input_left_ = 0;
  bool sealed_ = false;
  bool resets_ = false;
  std::array<char, 4096> buffer_{};
  std::size_t offset_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace sharedrift
