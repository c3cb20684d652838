// The whole door: HttpServer with WebSecurity's TLS, real handshakes.
#include "http_server/serve.hpp"
#include "support/fakes.hpp"
#include "support/raw_client.hpp"
#include "support/sanitized.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certs.hpp"
#include "web/web_security.hpp"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::CertificateWish;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::Identity;
using testing::RawClient;
using testing::TestCa;

struct Client {
  std::optional<Identity> shows;
  int highest = 0;
  std::string ciphers;
};

/// A connection with TLS.
class Conversation {
 public:
  Conversation(int port, const Client& client) : connection_(port) {
    if (client.highest != 0) {
      SSL_CTX_set_security_level(context_.get(), 0);
      SSL_CTX_set_max_proto_version(context_.get(), client.highest);
    }
    if (!client.ciphers.empty()) SSL_CTX_set_cipher_list(context_.get(), client.ciphers.c_str());
    if (client.shows) {
      SSL_CTX_use_certificate(context_.get(), client.shows->certificate.get());
      SSL_CTX_use_PrivateKey(context_.get(), client.shows->key.get());
    }
    tls_.reset(SSL_new(context_.get()));
    SSL_set_fd(tls_.get(), connection_.fd());
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes with write()
    is_in_ = SSL_connect(tls_.get()) == 1;
  }
  /// What the server answers, to the body's end; "" if it does not.
  std::string ask(const std::string& more_headers = "") {
    const std::string request = "GET /x HTTP/1.1\r\nHost: x\r\n" + more_headers + "\r\n";
    if (!is_in_ || SSL_write(tls_.get(), request.data(), static_cast<int>(request.size())) <= 0) return "";
    std::string answer;
    std::array<char, 4096> buffer{};
    for (int n = 1;
         !answer.ends_with("safe") && (n = SSL_read(tls_.get(), buffer.data(), buffer.size())) > 0;)
      answer.append(buffer.data(), static_cast<std::size_t>(n));
    return answer;
  }

 private:
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_client_method()),
                                                                   &SSL_CTX_free};
  const RawClient connection_;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, &SSL_free};
  bool is_in_ = false;
};

/// What the server answers, or "" if it does not let the client in.
std::string fetch(int port, const Client& client = {}) {
  return Conversation(port, client).ask("Connection: close\r\n");
}

class WebDoor : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) const {
    const std::string file = directory.file(name);
    const std::string fresh = file + ".new";
    std::ofstream(fresh, std::ios::trunc) << text;
    std::filesystem::permissions(fresh,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::filesystem::rename(fresh, file);
  }
  void put_identity(const Identity& identity) const {
    put("server.crt", identity.certificate_pem());
    put("server.key", identity.key_pem());
  }
  void start(const std::string& more = "") {
    put("ca.crt", ca.pem());
    put_identity(ca.issue());
    put("web.yml", "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n" + more);
    auto opened = WebSecurity::open(directory.file("web.yml"), clock, nullptr);
    ASSERT_TRUE(opened) << to_string(opened.error().front());
    door = std::move(*opened);
    ServerOptions options;
    options.tls_context = [this] { return door->tls_context(); };
    server = testing::serve(
        [](const ServerRequest& request) { return ServerResponse::text(200, request.tls ? "safe" : "open"); },
        options);
  }
  [[nodiscard]] bool lets_in(const Client& client) const {
    return fetch(server->port(), client).ends_with("safe");
  }
  [[nodiscard]] Client with(const CertificateWish& wish) const { return {.shows = ca.issue(wish)}; }

  TestCa ca;
  testing::TempDir directory;
  testing::ManualClock clock{WallTime{Millis{0}}};
  std::unique_ptr<WebSecurity> door;
  std::unique_ptr<HttpServer> server;
};

TEST_F(WebDoor, SpeaksTlsAndNothingElse) {
  start();
  EXPECT_THAT(fetch(server->port()), EndsWith("safe"));
  EXPECT_THAT(testing::http_get(server->port()),
              AllOf(HasSubstr("HTTP/1.1 400"), EndsWith("HTTPS server.\n")));
  EXPECT_TRUE(lets_in({.highest = TLS1_2_VERSION}));
  EXPECT_FALSE(lets_in({.highest = TLS1_1_VERSION}));
}

TEST_F(WebDoor, TakesCertificatesAndKeysThemselvesInPlaceOfFiles) {
  start();
  const auto block = [](const std::string& key, const std::string& pem) {
    std::string out = "  " + key + ": |\n    ";
    for (const char c : pem)
      out += c == '\n' ? "\n    " : std::string(1, c);
    return out + "\n";
  };
  const Identity identity = ca.issue();
  put("web.yml", "tls_server_config:\n" + block("cert", identity.certificate_pem()) +
                     block("key", identity.key_pem()) + block("client_ca", ca.pem()) +
                     "  client_auth_type: RequireAndVerifyClientCert\n");
  EXPECT_TRUE(lets_in(with({})));
  EXPECT_FALSE(lets_in({}));
  EXPECT_FALSE(lets_in({.shows = TestCa().issue()})) << "of another authority";
}

TEST_F(WebDoor, OffersTheVersionsAndCiphersItIsToldTo) {
  start(
      "  min_version: TLS12\n  max_version: TLS12\n  cipher_suites: "
      "[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n"
      "  curve_preferences: [CurveP256]\n");
  EXPECT_TRUE(lets_in({.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"}));
  EXPECT_FALSE(lets_in({.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"}));
}

TEST_F(WebDoor, OffersNothingWeak) {
  const auto of_tls12 = [this](const char* ciphers) {
    return lets_in({.highest = TLS1_2_VERSION, .ciphers = ciphers});
  };
  start();
  EXPECT_TRUE(of_tls12("ECDHE-ECDSA-AES128-GCM-SHA256"));
  EXPECT_TRUE(of_tls12("ECDHE-ECDSA-CHACHA20-POLY1305"));
  EXPECT_FALSE(of_tls12("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA")) << "CBC";
  EXPECT_FALSE(of_tls12("AES256-GCM-SHA384:AES128-SHA")) << "RSA key exchange";
}

TEST_F(WebDoor, AsksForACertificateItCanVerify) {
  start("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n");
  EXPECT_FALSE(lets_in({}));
  EXPECT_TRUE(lets_in(with({})));
  EXPECT_FALSE(lets_in({.shows = TestCa::self_signed()}));
  EXPECT_FALSE(lets_in({.shows = TestCa().issue()})) << "of another authority";
  EXPECT_FALSE(lets_in(with({.begins_in = -7200, .ends_in = -3600}))) << "expired";
}

TEST_F(WebDoor, LetsInTheNamesItKnows) {
  start(
      "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"
      "  client_allowed_sans: [prometheus.example, 10.1.2.3, 'spiffe://example/prometheus', "
      "ops@example.org]\n");
  for (const char* name : {"DNS:prometheus.example", "DNS:other,DNS:prometheus.example", "IP:10.1.2.3",
                           "URI:spiffe://example/prometheus", "email:ops@example.org"}) {
    EXPECT_TRUE(lets_in(with({.alternative_names = name}))) << name;
  }
  for (const char* name :
       {"DNS:other.example", "DNS:*.example", "DNS:prometheus.example.evil", "IP:10.1.2.4", ""}) {
    EXPECT_FALSE(lets_in(with({.common_name = "prometheus.example", .alternative_names = name}))) << name;
  }
}

TEST_F(WebDoor, TakesOrWantsCertificatesAsToldTo) {
  start("  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt\n");
  EXPECT_TRUE(lets_in({}));
  EXPECT_TRUE(lets_in(with({})));
  EXPECT_FALSE(lets_in({.shows = TestCa::self_signed()}));
  server.reset();
  start("  client_auth_type: RequireAnyClientCert\n");
  EXPECT_FALSE(lets_in({}));
  EXPECT_TRUE(lets_in({.shows = TestCa::self_signed()}));
  server.reset();
  start("  client_auth_type: RequestClientCert\n");
  EXPECT_TRUE(lets_in({}));
  EXPECT_TRUE(lets_in({.shows = TestCa::self_signed()}));
}

TEST_F(WebDoor, NewRulesHoldForTheNextConnection) {
  start("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n");
  const Client client = with({});
  EXPECT_TRUE(lets_in(client));
  put("ca.crt", TestCa().pem());
  EXPECT_FALSE(lets_in(client));
  put("ca.crt", ca.pem());
  EXPECT_TRUE(lets_in(client));
}

TEST_F(WebDoor, AConnectionThatBeganUnderOlderRulesEndsWithItsNextAnswer) {
  start("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n");
  Conversation kept(server->port(), with({}));
  EXPECT_THAT(kept.ask(), EndsWith("safe"));
  put("ca.crt", TestCa().pem());
  EXPECT_THAT(kept.ask(), AllOf(HasSubstr("Connection: close"), EndsWith("safe")));
  EXPECT_EQ(kept.ask(), "");
}

TEST_F(WebDoor, NewFilesAreNotReadForEachConnection) {
  start();
  const auto first = door->tls_context();
  EXPECT_EQ(door->tls_context(), first) << "a crowd must not cost more than its handshakes";
  clock.advance(Millis{100});
  EXPECT_NE(door->tls_context(), first) << "they may have changed again within the kernel's clock tick";
}

TEST_F(WebDoor, AKeyThatDoesNotFitClosesTheDoor) {
  start();
  put("server.key", ca.issue().key_pem());
  EXPECT_EQ(fetch(server->port()), "");
  put("server.key", "");
  EXPECT_EQ(fetch(server->port()), "");
  std::filesystem::remove(directory.file("server.crt"));
  EXPECT_EQ(fetch(server->port()), "");
  put_identity(ca.issue());
  EXPECT_THAT(fetch(server->port()), EndsWith("safe"));
  put("web.yml", "{}\n");
  EXPECT_EQ(fetch(server->port()), "") << "TLS that is gone must not become plain HTTP";
  EXPECT_EQ(testing::http_get(server->port()), "");
}

TEST_F(WebDoor, CertificatesRotateUnderLoad) {
  start();
  std::atomic<bool> ending{false};
  std::atomic<int> served{0};
  std::atomic<int> lost{0};
  std::atomic<int> ended{0};
  std::vector<std::jthread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!ending) {
        ++(fetch(server->port()).ends_with("safe") ? served : lost);
        ++ended;
        ended.notify_all();
      }
    });
  }
  // Certificate and key are one file each, as secrets are mounted: both turn at once through the link.
  namespace fs = std::filesystem;
  const auto generation = [this](int number) {
    const fs::path folder = directory.path() / ("g" + std::to_string(number));
    fs::create_directory(folder);
    const Identity identity = ca.issue();
    std::ofstream(folder / "server.crt") << identity.certificate_pem();
    std::ofstream(folder / "server.key") << identity.key_pem();
    const fs::path link = directory.path() / "now.new";
    fs::create_directory_symlink(folder, link);
    fs::rename(link, directory.path() / "now");
  };
  generation(0);
  put("web.yml", "tls_server_config: {cert_file: now/server.crt, key_file: now/server.key}\n");
  const auto outlive_the_clients_of_now = [&] {
    const int target = ended + 2 * static_cast<int>(clients.size());
    for (int now = ended; now < target; now = ended)
      ended.wait(now);
  };
  outlive_the_clients_of_now();
  lost = 0;
  for (int i = 1; i <= 40; ++i) {
    generation(i);
    outlive_the_clients_of_now();
  }
  ending = true;
  clients.clear();
  EXPECT_GT(served, 40);
  EXPECT_EQ(lost, 0);
}

TEST_F(WebDoor, SilentHandshakesHoldUpNobody) {
  start();
  std::vector<RawClient> silent;
  for (int i = 0; i < 120; ++i)
    silent.emplace_back(server->port());
  for (int i = 0; i < 64; ++i) {
    silent.emplace_back(server->port());
    silent.back().send(std::string("\x16\x03\x01", 3));
  }
  const auto start_time = std::chrono::steady_clock::now();
  EXPECT_THAT(fetch(server->port()), EndsWith("safe"));
  EXPECT_LT(std::chrono::steady_clock::now() - start_time, testing::kSanitized ? 10s : 1s);
}

}  // namespace
}  // namespace sharedrift
