#include "simulator/delivery.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <utility>

namespace sharedrift::simulator {

namespace {

std::string chunk(std::string_view data) {
  std::array<char, 16> size{};
  char* const end = std::to_chars(size.data(), size.data() + size.size(), data.size(), 16).ptr;
  return std::string(size.data(), end).append("\r\n").append(data).append("\r\n");
}

std::string head_bytes(const SimAnswer& answer, Delivery::Framing framing) {
  std::string out = "HTTP/1.1 " + std::to_string(answer.status) + (answer.status < 400 ? " OK" : " Error");
  out.append("\r\nContent-Type: ").append(answer.content_type).append("\r\nConnection: close\r\n");
  for (const auto& [name, value] : answer.headers)
    out.append(name).append(": ").append(value).append("\r\n");
  if (framing == Delivery::Framing::length) {
    out.append("Content-Length: ").append(std::to_string(answer.body.size())).append("\r\n");
  }
  if (framing == Delivery::Framing::chunked) out.append("Transfer-Encoding: chunked\r\n");
  return out.append("\r\n");
}

std::string cut_bytes(const SimAnswer& answer) {
  const Delivery& d = answer.delivery;
  const std::string part = answer.body.substr(0, d.bytes);
  const bool chunked = d.framing == Delivery::Framing::chunked && !part.empty();
  return head_bytes(answer, d.framing) + (chunked ? chunk(part) : part);
}

/// All of it, in steps; the first at once, the others each after `interval`.
ServerResponse::Raw steps(std::string bytes, std::size_t step, Millis interval) {
  return [bytes = std::move(bytes), step, interval, at = std::size_t{0}]() mutable {
    const std::size_t begin = std::exchange(at, std::min(at + step, bytes.size()));
    return std::pair(bytes.substr(begin, at - begin), begin == 0 ? Millis{0} : interval);
  };
}

ServerResponse::Raw endless_bytes(const SimAnswer& answer) {
  const std::string blanks(16'384, ' ');
  return [next = head_bytes(answer, answer.delivery.framing),
          block = answer.delivery.framing == Delivery::Framing::chunked ? chunk(blanks) : blanks]() mutable {
    return std::pair(std::exchange(next, block), Millis{0});
  };
}

ServerResponse::Raw raw_bytes(const SimAnswer& answer) {
  const Delivery& d = answer.delivery;
  const std::string whole = head_bytes(answer, Delivery::Framing::length) + answer.body;
  switch (d.how) {
    case Delivery::How::plain: return {};
    case Delivery::How::cut: return steps(cut_bytes(answer), std::string::npos, Millis{0});
    case Delivery::How::drip: return steps(whole, std::max<std::size_t>(1, d.bytes), d.interval);
    case Delivery::How::endless: return endless_bytes(answer);
    case Delivery::How::reset: return steps(whole.substr(0, d.bytes), whole.size(), Millis{0});
  }
  return {};
}

}  // namespace

ServerResponse to_response(SimAnswer answer) {
  ServerResponse out;
  out.delay = answer.delay;
  out.raw = raw_bytes(answer);
  out.reset = answer.delivery.how == Delivery::How::reset;
  out.status = answer.status;
  out.content_type = std::move(answer.content_type);
  out.headers = std::move(answer.headers);
  out.body = std::make_shared<const std::string>(std::move(answer.body));
  return out;
}

}  // namespace sharedrift::simulator
