#include "http_client/fake_dns.hpp"
#include "http_client/transport_kit.hpp"
#include "support/sanitized.hpp"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace sharedrift::testing {
namespace {

using namespace std::chrono_literals;

/// Machines that run tests are busy; an exchange without a deadline takes for ever.
constexpr Millis kSlack{5'000};
constexpr Millis kAtOnce{2'000};  // a tenth of the deadline that would end it otherwise
/// Peak memory that a whole table of faults may add: the caps of its exchanges and the servers' own.
constexpr long kMemoryKib = kSanitized ? 256L << 10U : 16L << 10U;

long peak_memory_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// Runs one exchange against every fault, all at a time on one transport: none may hold up another.
class Table {
 public:
  /// `hang`: the deadline of exchanges that only a deadline ends. Where a handshake comes first it must not
  /// be too short for a busy machine.
  explicit Table(Millis hang = Millis{500}) : hang_(hang) {}
  void add(const Fault& fault, HttpRequest request) {
    const auto now = boot_now();
    const auto deadline = now + (fault.hangs ? hang_ : kAmple);
    ++open_;
    transport_.start(std::move(request), deadline, [this, fault, now](const HttpResult& result) {
      --open_;
      EXPECT_EQ(reason_of(result), to_string(fault.reason))
          << fault.name << (result ? "" : ": " + result.error().detail);
      if (!result) {
        EXPECT_THAT(result.error().detail, AllOf(Not(HasSubstr("query-secret")), Not(HasSubstr("pass-word"))))
            << fault.name;
        EXPECT_EQ(result.error().detail.find("emory"), std::string::npos) << fault.name << ": a wrong word";
      }
      const auto took = boot_now() - now;
      EXPECT_LT(took, fault.hangs ? hang_ + kSlack : kAmple) << fault.name;
      if (fault.hangs) {
        EXPECT_GE(took, hang_ - 5ms) << fault.name;
      }
    });
  }
  void run() {
    const long before = peak_memory_kib();
    const auto limit = boot_now() + kAmple + kSlack;
    while (open_ > 0 && boot_now() < limit)
      transport_.run_once(limit);
    EXPECT_EQ(open_, 0U) << "every exchange is called back";
    EXPECT_LT(peak_memory_kib() - before, kMemoryKib);
  }

 private:
  Millis hang_;
  CurlTransport transport_;
  std::size_t open_ = 0;
};

TEST(TransportFaults, BadAnswersHaveTheirReasonAndEnd) {
  std::vector<std::unique_ptr<FaultServer>> servers;
  Table table;
  for (const Fault& fault : answer_faults()) {
    servers.push_back(std::make_unique<FaultServer>(fault.script));
    table.add(fault, get(url_of("http", "127.0.0.1", servers.back()->port())));
  }
  table.run();
}

TEST(TransportFaults, BadAnswersBehindTlsToo) {
  const Trust trust;
  std::vector<std::unique_ptr<FaultServer>> servers;
  Table table(1500ms);
  for (Fault& fault : answer_faults()) {
    // A busy machine may need longer for a handshake than the short deadline, which is a timeout all the
    // same.
    servers.push_back(std::make_unique<FaultServer>(fault.script, trust.good()));
    // Later versions want TLS to be ended, not only its connection, where that alone ends the answer.
    constexpr unsigned kWantsTheEndOfTls = 0x080000;
    if (fault.name == "empty_without_length" &&
        curl_version_info(CURLVERSION_NOW)->version_num >= kWantsTheEndOfTls)
      fault.reason = Reason::reset;
    table.add(fault, get(url_of("https", "localhost", servers.back()->port()), trust.route));
  }
  table.run();
}

TEST(TransportFaults, UntrustedServersHearNoByteOfTheRequest) {
  const Trust trust;
  const TestCa stranger;
  const auto certificate = [&trust](const std::string& name, const std::string& alternatives,
                                    long begins = -60, long ends = 3600) {
    return server_tls(trust.ca.issue({name, alternatives, begins, ends}));
  };
  const std::map<std::string, std::shared_ptr<SSL_CTX>> identities{
      {"wrong host", certificate("other.example", "DNS:other.example")},
      {"common name only", certificate("localhost", "DNS:other.example")},
      {"wildcard in the middle", certificate("x", "DNS:*.*.test,DNS:local*")},
      {"address in a name", certificate("x", "DNS:127.0.0.1")},
      {"expired", certificate("localhost", "DNS:localhost", -7200, -3600)},
      {"not yet valid", certificate("localhost", "DNS:localhost", 3600, 7200)},
      {"self-signed", server_tls(TestCa::self_signed())},
      {"unknown authority", server_tls(stranger.issue())},
      {"TLS 1.1 at most", server_tls(trust.ca.issue(), TLS1_1_VERSION)},
  };
  std::vector<std::unique_ptr<FaultServer>> servers;
  Table table;
  for (const auto& [name, tls] : identities) {
    servers.push_back(std::make_unique<FaultServer>(answer(), tls));
    table.add({name, Reason::tls, false, {}},
              get(url_of("https", "localhost", servers.back()->port()), trust.route));
  }
  table.run();
  for (const auto& server : servers)
    EXPECT_EQ(server->heard(), "");
}

TEST(TransportFaults, BrokenHandshakesEnd) {
  const Trust trust;
  const FaultServer drip(handshake_drip());
  const FaultServer silent(handshake_silence());
  const FaultServer closes([](FaultConnection& c) { (void)c.read_some(); });
  const FaultServer plain(answer_bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
  const FaultServer speaks_first([](FaultConnection& c) { c.send("220 mail.example ESMTP\r\n"); });
  Table table;
  const auto add = [&](const char* name, Reason reason, bool hangs, const FaultServer& server) {
    table.add({name, reason, hangs, {}}, get(url_of("https", "localhost", server.port()), trust.route));
  };
  add("handshake drip", Reason::timeout, true, drip);
  add("handshake silence", Reason::timeout, true, silent);
  add("closed in the handshake", Reason::tls, false, closes);
  add("another protocol", Reason::tls, false, speaks_first);
  table.run();
  EXPECT_EQ(plain.connections(), 0U);
}

TEST(TransportFaults, ATrustFileThatIsNoneIsATlsFailure) {
  const Trust trust;
  const FaultServer server(answer(), trust.good());
  const auto bad = std::make_shared<HttpRoute>();
  for (const char* content : {"", "-----BEGIN CERTIFICATE-----\ngarbage\n"}) {
    bad->ca_file = trust.dir.file("bad.pem");
    std::ofstream(bad->ca_file) << content;
    EXPECT_EQ(reason_of(exchange(get(url_of("https", "localhost", server.port()), bad))), "tls");
  }
  bad->ca_file = trust.dir.file("missing.pem");
  EXPECT_EQ(reason_of(exchange(get(url_of("https", "localhost", server.port()), bad))), "tls");
  bad->ca_file = trust.dir.file("pipe.pem");
  ASSERT_EQ(::mkfifo(bad->ca_file.c_str(), 0600), 0);
  EXPECT_EQ(reason_of(exchange(get(url_of("https", "localhost", server.port()), bad))), "tls")
      << "and it is not waited for";
}

TEST(TransportFaults, NobodyAtHome) {
  const FakeDns dns;
  int closed = 0;
  { closed = FaultServer(answer()).port(); }
  // A listener whose queue is full: the kernel drops what else knocks.
  const int full = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(full, generic, size), 0);
  ASSERT_EQ(::listen(full, 0), 0);
  ASSERT_EQ(::getsockname(full, generic, &size), 0);
  std::vector<int> callers;
  for (int i = 0; i < 4; ++i) {
    callers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(callers.back(), generic, size);
  }
  const int full_port = ntohs(address.sin_port);
  Table table;
  table.add({"closed port", Reason::connect, false, {}}, get(url_of("http", "127.0.0.1", closed)));
  table.add({"closed port, TLS", Reason::connect, false, {}}, get(url_of("https", "127.0.0.1", closed)));
  table.add({"dropped", Reason::connect, true, {}}, get(url_of("http", "127.0.0.1", full_port)));
  table.add({"dropped, TLS", Reason::connect, true, {}}, get(url_of("https", "127.0.0.1", full_port)));
  table.add({"no such name", Reason::dns, false, {}}, get("https://absent.test/"));
  table.add({"name server dead", Reason::dns, true, {}}, get("https://hangs.test/"));
  table.run();
  for (const int fd : callers)
    ::close(fd);
  ::close(full);
}

TEST(TransportFaults, BrokenTunnelsAreTheProxys) {
  const Trust trust;
  const FaultServer origin(answer(), trust.good());
  std::vector<std::unique_ptr<FaultServer>> proxies;
  // libcurl reads a proxy's head a byte at a time, up to 300 kB of it, and does nothing else meanwhile
  // (7.88): a proxy that floods holds up the exchanges beside it, so those with a short deadline get a
  // transport of their own.
  Table hanging;
  Table table;
  for (const Fault& fault : proxy_faults()) {
    proxies.push_back(std::make_unique<FaultServer>(fault.script));
    const std::string proxy = "http://user:pass-word@127.0.0.1:" + std::to_string(proxies.back()->port());
    (fault.hangs ? hanging : table)
        .add(fault, get(url_of("https", "localhost", origin.port()), trust.through(proxy)));
    if (fault.hangs) hanging.run();
  }
  int closed = 0;
  { closed = FaultServer(answer()).port(); }
  const std::string nobody = "http://user:pass-word@127.0.0.1:" + std::to_string(closed);
  table.add({"proxy_not_there", Reason::proxy, false, {}},
            get(url_of("https", "localhost", origin.port()), trust.through(nobody)));
  table.add(
      {"proxy_of_another_kind", Reason::proxy, false, {}},
      get(url_of("https", "localhost", origin.port()), trust.through("gopher://user:pass-word@127.0.0.1")));
  table.run();
  EXPECT_EQ(origin.connections(), 0U);
}

TEST(TransportFaults, OutOfDescriptorsIsOurOwnTrouble) {
  const FaultServer server(answer());
  CurlTransport transport;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  std::vector<int> hoard;
  rlimit few = before;
  few.rlim_cur = 64;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  while (true) {
    const int fd = ::dup(2);
    if (fd < 0) break;
    hoard.push_back(fd);
  }
  const HttpResult numeric = exchange(transport, get(url_of("http", "127.0.0.1", server.port())));
  const HttpResult named = exchange(transport, get(url_of("https", "ens.example", server.port())));
  for (const int fd : hoard)
    ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(reason_of(numeric), "local");
  EXPECT_EQ(reason_of(named), "local");
  EXPECT_EQ(reason_of(exchange(transport, get(url_of("http", "127.0.0.1", server.port())))),
            "success, status 200")
      << "the same transport recovers";
}

/// How long an exchange takes to end after stop was requested in the middle of it, at best: what else runs on
/// the machine only ever adds to it.
Millis time_to_stop(const std::string& url, const std::shared_ptr<const HttpRoute>& route) {
  Millis best = Millis::max();
  for (int attempt = 0; attempt < 5 && best >= kAtOnce; ++attempt) {
    CurlTransport transport;
    std::stop_source stop;
    steady_clock::time_point stopped;
    std::jthread stopper([&stop, &stopped] {
      std::this_thread::sleep_for(100ms);
      stopped = boot_now();
      stop.request_stop();
    });
    const HttpResult result = perform(transport, get(url, route), boot_now() + kAmple, stop.get_token());
    const auto over = boot_now();
    stopper.join();
    EXPECT_EQ(reason_of(result), "timeout");
    best = std::min(best, std::chrono::ceil<Millis>(over - stopped));
  }
  return best;
}

TEST(TransportFaults, StopsAtOnceInEveryPhase) {
  const FakeDns dns;
  const Trust trust;
  const FaultServer handshake(handshake_drip());
  const FaultServer silent(handshake_silence());
  const FaultServer body(answer_drip("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", " "), trust.good());
  const FaultServer proxy(answer_drip("HTTP/1.1 200 OK\r\nX: ", "a"));
  const auto proxied = trust.through("http://127.0.0.1:" + std::to_string(proxy.port()));
  const std::map<std::string, std::pair<std::string, std::shared_ptr<HttpRoute>>> phases{
      {"name", {"https://hangs.test/", trust.route}},
      {"tunnel", {"https://localhost/", proxied}},
      {"handshake", {url_of("https", "localhost", handshake.port()), trust.route}},
      {"head", {url_of("http", "127.0.0.1", silent.port()), trust.route}},
      {"body", {url_of("https", "localhost", body.port()), trust.route}},
  };
  for (const auto& [phase, where] : phases)
    EXPECT_LT(time_to_stop(where.first, where.second), kAtOnce) << phase;
}

}  // namespace
}  // namespace sharedrift::testing
