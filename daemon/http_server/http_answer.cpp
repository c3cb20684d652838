#include "http_server/http_answer.hpp"

#include "core/text.hpp"
#include "http_server/httplib_hook.hpp"
#include "http_server/request_head.hpp"

#include <array>
#include <cstring>
#include <ctime>
#include <exception>
#include <utility>

namespace sharedrift {

namespace {

/// The head of a request to read, the head of an answer to write.
class HeadStream final : public httplib::Stream {
 public:
  HeadStream(std::string_view in, std::string& out) : in_(in), out_(out) {}
  [[nodiscard]] bool is_readable() const override { return true; }
  [[nodiscard]] bool is_writable() const override { return true; }
  ssize_t read(char* out, std::size_t size) override {
    const std::size_t taken = in_.copy(out, size);
    in_.remove_prefix(taken);
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* data, std::size_t size) override {
    out_.append(data, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }

 private:
  std::string_view in_;
  std::string& out_;
};

/// RFC 9110 wants it in every answer of a server with a clock; the status page takes the time from it.
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text.data(), size};
}

/// One request on its way through the library.
class Exchange final : HttplibHook {
 public:
  Exchange(ServerRequest known, const ServerHandler& handler)
      : request_(std::move(known)), handler_(handler) {
    // Before the library looks for a route: its routes are regular expressions.
    set_pre_routing_handler([this](const auto& request, auto& response) {
      ask(request, response);
      return HandlerResponse::Handled;
    });
    // The body is here already: who waits for a "100 Continue" gets the answer.
    set_expect_100_continue_handler([this](const auto& request, auto& response) {
      ask(request, response);
      return response.status;
    });
    set_post_routing_handler([this](const auto& /*request*/, auto& response) { write_headers(response); });
  }

  HttpAnswer answer(std::string_view head, bool keep_alive) {
    std::string answer_head;
    HeadStream stream(head, answer_head);
    const bool served = process(stream, !keep_alive, closes_);
    HttpAnswer answer;
    answer.status = response_.status;
    answer.closes = closes_ || !served || !keep_alive || response_.raw;
    answer.delay = response_.delay;
    answer.reset = response_.reset;
    answer.later = response_.later;
    answer.knew_password = response_.knew_password;
    answer.one_by_one = std::move(response_.one_by_one);
    answer.is_refusal = !is_heard_;
    answer.raw = std::move(response_.raw);
    if (answer.raw) return answer;
    if (request_.method != "HEAD") answer.parts = std::move(response_.tail);
    if (request_.method != "HEAD") answer.parts.insert(answer.parts.begin(), std::move(response_.body));
    answer.parts.insert(answer.parts.begin(), std::make_shared<const std::string>(std::move(answer_head)));
    return answer;
  }

 private:
  void ask(const httplib::Request& from, httplib::Response& to) {
    response_ = refuse(from);
    if (response_.status == 200) {
      take(from);
      is_heard_ = true;
      try {
        response_ = handler_(request_);
      } catch (const std::exception&) {
        response_ = ServerResponse::text(500, "Internal error.\n");
      }
    }
    to.status = response_.status;
    asked_ = true;
  }

  /// 200: nothing to refuse.
  ServerResponse refuse(const httplib::Request& request) {
    // A thousand ranges of one page would be a thousand pages.
    if (!request.ranges.empty()) return ServerResponse::text(416, "No ranges are served.\n");
    const auto lengths = request.get_header_value_count("Content-Length");
    const bool is_whole = lengths == 0 || (lengths == 1 && request.get_header_value("Content-Length") ==
                                                               std::to_string(request_.body.size()));
    const bool is_unread = !is_whole || request.has_header("Transfer-Encoding");
    closes_ = closes_ || is_unread;
    if (!is_whole) return ServerResponse::text(413, "The body is too large, or its length is not clear.\n");
    if (is_unread) return ServerResponse::text(411, "A body needs its Content-Length.\n");
    return {};
  }

  void take(const httplib::Request& from) {
    request_.method = from.method;
    request_.path = from.path;
    request_.query.assign(from.params.begin(), from.params.end());
    for (const auto& [name, value] : from.headers) {
      std::string lower = to_lower(name);
      // The library adds these behind what the peer sent under the same names.
      if (lower != "remote_addr" && lower != "remote_port" && lower != "local_addr" && lower != "local_port")
        request_.headers.emplace_back(std::move(lower), value);
    }
  }

  /// Ours instead of what the library thinks of a body that it does not see.
  void write_headers(httplib::Response& to) {
    if (!asked_) {  // the library refused what it read
      response_ = ServerResponse::text(to.status, "This is no request that is served here.\n");
      closes_ = true;
    }
    const bool closes = closes_ || to.get_header_value("Connection") == "close";
    to.headers.clear();
    if (closes) to.set_header("Connection", "close");
    for (auto& [name, value] : response_.headers)
      to.set_header(name, value);
    if (!to.has_header("Date")) to.set_header("Date", http_date());
    if (to.status == 204 || to.status == 304) return;
    std::size_t size = response_.body->size();
    for (const auto& part : response_.tail)
      size += part->size();
    to.set_header("Content-Length", std::to_string(size));
    to.set_header("Content-Type", response_.content_type);
  }

  ServerRequest request_;
  const ServerHandler& handler_;
  ServerResponse response_;
  bool asked_ = false;
  bool is_heard_ = false;  ///< by the handler
  bool closes_ = false;
};

}  // namespace

std::string_view ServerRequest::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

std::optional<std::string_view> ServerRequest::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

ServerResponse ServerResponse::text(int status, std::string body) {
  ServerResponse response;
  response.status = status;
  response.body = std::make_shared<const std::string>(std::move(body));
  return response;
}

ServerResponse ServerResponse::in(Lane lane, std::string one_by_one) {
  ServerResponse response;
  response.later = lane;
  response.one_by_one = std::move(one_by_one);
  return response;
}

HttpAnswer answer_request(std::string_view head, ServerRequest known, const ServerHandler& handler,
                          bool keep_alive) {
  if (const auto fault = fault_of_head(head)) {
    const ServerHandler no = [&fault](const auto&) { return ServerResponse::text(400, *fault + "\n"); };
    HttpAnswer answer = Exchange({}, no).answer("GET / HTTP/1.0\r\n\r\n", false);
    answer.is_refusal = true;
    return answer;
  }
  return Exchange(std::move(known), handler).answer(to_origin_form(head), keep_alive);
}

}  // namespace sharedrift
