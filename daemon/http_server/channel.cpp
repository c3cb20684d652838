#include "http_server/channel.hpp"

#include <new>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace sharedrift {

namespace {

/// OpenSSL would go on for as long as records come that hold no data, KeyUpdates and refused renegotiations,
/// and nobody else would be served meanwhile.
long limit_reads(BIO* socket, int operation, const char* /*data*/, std::size_t /*size*/, int /*command*/,
                 long /*number*/, int result, std::size_t* /*processed*/) {
  int& left = *reinterpret_cast<int*>(BIO_get_callback_arg(socket));
  if (operation != BIO_CB_READ || left-- > 0) return result;
  BIO_set_retry_read(socket);
  return -1;
}

}  // namespace

void Channel::FreeBio::operator()(bio_st* bio) const {
  BIO_free_all(bio);
}

Channel::Channel(int fd, ssl_ctx_st* context) : fd_(fd), bio_(BIO_new_socket(fd, BIO_CLOSE)) {
  if (!bio_) throw std::bad_alloc();
  if (context == nullptr) return;
  BIO_set_callback_ex(bio_.get(), &limit_reads);
  BIO_set_callback_arg(bio_.get(), reinterpret_cast<char*>(&reads_left_));
  BIO* tls = BIO_new_ssl(context, 0);
  if (tls == nullptr) throw std::bad_alloc();
  bio_.reset(BIO_push(tls, bio_.release()));
  BIO_get_ssl(tls, &tls_);
  // What could not be written is offered again from another place in memory.
  SSL_set_mode(
      tls_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

ssl_ctx_st* Channel::context() const {
  return tls_ == nullptr ? nullptr : SSL_get_SSL_CTX(tls_);
}

bool Channel::is_shaking_hands() const {
  return tls_ != nullptr && SSL_is_init_finished(tls_) == 0;
}

bool Channel::speaks_plain_text() {
  char first = 0;
  if (begun_ || ::recv(fd_, &first, 1, MSG_PEEK) != 1) return false;
  begun_ = true;  // a part of a handshake may begin with any byte
  return first >= 'A' && first <= 'Z';
}

void Channel::drop_tls() {
  const std::unique_ptr<bio_st, FreeBio> tls(bio_.release());
  bio_.reset(BIO_pop(tls.get()));
  tls_ = nullptr;
}

ssize_t Channel::settle(int result) {
  if (BIO_should_read(bio_.get())) wanted_ = POLLIN;
  if (BIO_should_write(bio_.get())) wanted_ = POLLOUT;
  if (result > 0) return result;
  if (BIO_should_retry(bio_.get())) return 0;
  const int why = ERR_GET_REASON(ERR_peek_error());
  lacks_certificate_ = is_shaking_hands() && (why == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ||
                                              why == SSL_R_CERTIFICATE_VERIFY_FAILED);
  return -1;
}

ssize_t Channel::read(std::span<char> out) {
  constexpr int kReadsOfTheSocket = 8;  // a record takes two
  reads_left_ = kReadsOfTheSocket;
  ERR_clear_error();  // else OpenSSL takes what another call left behind for its own
  wanted_ = POLLIN;
  return settle(BIO_read(bio_.get(), out.data(), static_cast<int>(out.size())));
}

ssize_t Channel::write(std::string_view data) {
  ERR_clear_error();
  wanted_ = POLLOUT;
  return settle(BIO_write(bio_.get(), data.data(), static_cast<int>(data.size())));
}

void Channel::finish(bool rudely) {
  ERR_clear_error();
  if (tls_ != nullptr && !rudely) SSL_shutdown(tls_);
  ::shutdown(fd_, SHUT_WR);
}

void Channel::reset_at_close() {
  const linger now{1, 0};  // a close that lingers for no time sends RST
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace sharedrift
