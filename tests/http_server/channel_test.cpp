#include "http_server/channel.hpp"

#include "support/test_certs.hpp"

#include <array>
#include <memory>
#include <string_view>

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sharedrift {
namespace {

/// A channel that expects TLS, and its peer's end.
class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    peer = ends[1];
    channel = std::make_unique<Channel>(ends[0], context.get());
  }
  ~ChannelTest() override { ::close(peer); }
  void comes(std::string_view bytes) const {
    EXPECT_EQ(::send(peer, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_server_method()), &SSL_CTX_free};
  std::unique_ptr<Channel> channel;
  int peer = -1;
};

TEST_F(ChannelTest, PlainTextIsToldByTheFirstByte) {
  EXPECT_FALSE(channel->speaks_plain_text()) << "nothing came yet";
  comes("GET / HTTP/1.1\r\n");
  EXPECT_TRUE(channel->speaks_plain_text());
}

TEST_F(ChannelTest, APartOfAHandshakeMayBeginWithAnyByte) {
  comes({"\x16\x03\x01\x02", 4});
  EXPECT_FALSE(channel->speaks_plain_text());
  std::array<char, 64> piece{};
  EXPECT_EQ(channel->read(piece), 0);
  comes("A");
  EXPECT_FALSE(channel->speaks_plain_text());
}

/// Tens of thousands a second would else keep the one thread of all connections busy.
TEST_F(ChannelTest, OneReadTakesAFewKeyUpdates) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  ::close(peer);
  peer = ends[1];
  const auto server = testing::server_tls(testing::TestCa::self_signed());
  Channel own(ends[0], server.get());
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> client(SSL_CTX_new(TLS_client_method()),
                                                                 &SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> flood(SSL_new(client.get()), &SSL_free);
  SSL_set_fd(flood.get(), peer);
  std::array<char, 64> piece{};
  while (SSL_connect(flood.get()) != 1)
    ASSERT_EQ(own.read(piece), 0);
  constexpr int kUpdates = 100;
  for (int i = 0; i < kUpdates; ++i) {
    ASSERT_EQ(SSL_key_update(flood.get(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(flood.get()), 1);
  }
  ASSERT_EQ(SSL_write(flood.get(), "x", 1), 1);
  int reads = 0;
  while (own.is_shaking_hands())
    ASSERT_EQ(own.read(piece), 0);
  while (own.read(piece) == 0)
    ++reads;
  EXPECT_GE(reads, kUpdates / 10);
  EXPECT_EQ(piece[0], 'x');
}

}  // namespace
}  // namespace sharedrift
