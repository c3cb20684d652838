/// Bytes as a client may send them, through the real server and the real routes: every answer is a
/// well-formed HTTP answer, a page is the page, and nothing the client sent becomes a header.
#include "fuzz.hpp"
#include "metrics/negotiation.hpp"
#include "support/exposition_parser.hpp"
#include "support/views.hpp"
#include "web/web_routes.hpp"

#include <array>
#include <cerrno>
#include <exception>
#include <memory>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sharedrift::fuzz {
namespace {

/// libFuzzer's timer interrupts: what was cut short is asked again.
template <class Call>
auto retried(Call call) {
  auto out = call();
  while (out < 0 && errno == EINTR)
    out = call();
  return out;
}

/// The routes over one image, behind the server, on a socket without a name in any directory.
class Site {
 public:
  Site() : exposition_(views_), routes_(backend(), {.enable_lifecycle = true}) {
    views_.publish(testing::a_view("m-1"));
    address_.sun_family = AF_UNIX;
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // Only the family: the kernel chooses an abstract name.
    require(::bind(listener, generic(), sizeof address_.sun_family) == 0 && ::listen(listener, 64) == 0,
            "listen");
    length_ = sizeof address_;
    require(::getsockname(listener, generic(), &length_) == 0, "getsockname");
    ServerOptions options;
    options.workers = 2;
    options.keep_alive = false;
    auto started =
        HttpServer::start({listener}, options, [this](const ServerRequest& r) { return routes_.answer(r); });
    require(started.has_value(), "the server starts");
    server_ = std::move(*started);
  }

  /// What comes back until the server closes.
  std::string exchange(std::string_view bytes) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(retried([&] { return ::connect(fd, generic(), length_); }) == 0, "connect");
    static_cast<void>(
        ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));  // the server may have had enough
    ::shutdown(fd, SHUT_WR);
    std::string out;
    std::array<char, 16384> buffer{};
    for (;;) {
      pollfd waiting{fd, POLLIN, 0};
      require(retried([&] { return ::poll(&waiting, 1, 20'000); }) > 0, "an answer or a close comes", bytes);
      const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (n <= 0) break;
      out.append(buffer.data(), static_cast<std::size_t>(n));
    }
    ::close(fd);
    return out;
  }

 private:
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address_); }
  WebBackend backend() {
    WebBackend out;
    out.fleet = [this] { return views_.fleet(); };
    out.metrics = [this](TextFormat format, Encoding encoding) { return exposition_.page(format, encoding); };
    out.ready = [] { return true; };
    out.config = [] { return std::string("images: []\n"); };
    out.events = [](const EventQuery&) -> Result<std::vector<Event>, std::string> {
      return std::vector<Event>{};
    };
    out.reload = []() -> Result<Unit, std::string> { return Unit{}; };
    out.now = [] { return WallTime{Millis{1'795'000'000'000}}; };
    return out;
  }

  ViewStore views_;
  Exposition exposition_;
  WebRoutes routes_;
  sockaddr_un address_{};
  socklen_t length_ = 0;
  std::unique_ptr<HttpServer> server_;
};

/// Names that the server, the library and the routes send. No other may come out.
bool is_known_header(std::string_view name) {
  static constexpr std::array<std::string_view, 16> kKnown{"Allow",
                                                           "Cache-Control",
                                                           "Connection",
                                                           "Content-Encoding",
                                                           "Content-Length",
                                                           "Content-Security-Policy",
                                                           "Content-Type",
                                                           "Cross-Origin-Opener-Policy",
                                                           "Cross-Origin-Resource-Policy",
                                                           "Date",
                                                           "ETag",
                                                           "Referrer-Policy",
                                                           "Vary",
                                                           "X-Content-Type-Options",
                                                           "X-Frame-Options",
                                                           "Accept-Ranges"};
  return std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end();
}

void check_answer(std::string_view sent, std::string_view answer) {
  if (answer.empty()) return;  // not worth an answer
  if (answer.starts_with("HTTP/1.1 100 Continue\r\n\r\n")) answer.remove_prefix(25);
  const std::size_t end = answer.find("\r\n\r\n");
  require(end != std::string_view::npos, "an answer has a head", answer);
  std::string_view head = answer.substr(0, end + 2);
  const std::string_view body = answer.substr(end + 4);
  require(head.starts_with("HTTP/1.1 ") && head.size() > 12, "an answer has a status", answer);
  const int status = std::atoi(std::string(head.substr(9, 3)).c_str());
  require(status >= 200 && status < 600 && status != 500, "a request is no trouble of ours", answer);
  head.remove_prefix(head.find("\r\n") + 2);
  std::string type;
  std::string coding;
  std::string length;
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    require_one_line(line, "a header is one line");
    const std::size_t colon = line.find(": ");
    require(colon != std::string_view::npos && is_known_header(line.substr(0, colon)), "headers are ours",
            line);
    const std::string_view value = line.substr(colon + 2);
    if (line.starts_with("Content-Type: ")) type = value;
    if (line.starts_with("Content-Encoding: ")) coding = value;
    if (line.starts_with("Content-Length: ")) length = value;
  }
  const bool head_only = sent.find("HEAD") != std::string_view::npos;
  if (!head_only && !length.empty())
    require(length == std::to_string(body.size()), "the length is right", answer);
  if (status != 200 || head_only || !coding.empty() || type.find("version=") == std::string::npos) return;
  try {
    testing::ExpositionParser::parse(body, type.starts_with("application/openmetrics-text"));
  } catch (const std::exception& error) {
    require(false, error.what(), body);
  }
}

void check(std::string_view bytes) {
  static Site site;
  check_answer(bytes, site.exchange(bytes));
  // The same bytes as the value of a header: whatever it is, it means one of the formats, and blanks mean
  // nothing.
  const std::string value(bytes);
  require(negotiate_format(value) == negotiate_format(" " + value + "\t"), "blanks mean nothing", value);
  require(negotiate_encoding(value) == negotiate_encoding(value + ","), "an empty wish means nothing", value);
}

}  // namespace
}  // namespace sharedrift::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sharedrift::fuzz::check(sharedrift::fuzz::as_text(data, size));
  return 0;
}
