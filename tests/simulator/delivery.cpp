#include "simulator/delivery.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

namespace sharedrift::simulator {

namespace {

std::string chunk(std::string_view data) {
  std::array<char, 16> size{};
  char* const end = std::to_chars(size.data(), size.data() + size.size(), data.size(), 16).ptr;
  return std::string(size.data(), end).append("\r\n").append(data).append("\r\n");
}

std::string head(const SimAnswer& answer, Delivery::Framing framing) {
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

void send_cut(const SimAnswer& answer, const RawWriter& write) {
  const Delivery& d = answer.delivery;
  const std::string part = answer.body.substr(0, d.bytes);
  const bool chunked = d.framing == Delivery::Framing::chunked && !part.empty();
  write(head(answer, d.framing) + (chunked ? chunk(part) : part));
}

void send_drip(const SimAnswer& answer, const RawWriter& write, Nap& nap) {
  const std::string all = head(answer, Delivery::Framing::length) + answer.body;
  const std::size_t step = std::max<std::size_t>(1, answer.delivery.bytes);
  for (std::size_t at = 0; at < all.size(); at += step) {
    if (at > 0 && !nap.wait(answer.delivery.interval)) return;
    if (!write(std::string_view(all).substr(at, step))) return;
  }
}

void send_endless(const SimAnswer& answer, const RawWriter& write, Nap& nap) {
  const bool chunked = answer.delivery.framing == Delivery::Framing::chunked;
  const std::string blanks(16'384, ' ');
  const std::string block = chunked ? chunk(blanks) : blanks;
  if (!write(head(answer, answer.delivery.framing))) return;
  while (nap.wait(Millis{0}) && write(block)) {
  }
}

void deliver(const SimAnswer& answer, const RawWriter& write, Nap& nap) {
  switch (answer.delivery.how) {
    case Delivery::How::cut: return send_cut(answer, write);
    case Delivery::How::drip: return send_drip(answer, write, nap);
    case Delivery::How::endless: return send_endless(answer, write, nap);
    case Delivery::How::reset:
      if (answer.delivery.bytes > 0) {
        write((head(answer, Delivery::Framing::length) + answer.body).substr(0, answer.delivery.bytes));
      }
      return;
    case Delivery::How::plain: return;
  }
}

}  // namespace

bool Nap::wait(Millis time) {
  std::unique_lock lock(mutex_);
  if (time <= Millis{0}) return !stopped_;
  return !wake_.wait_for(lock, time, [this] { return stopped_; });
}

void Nap::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
}

ServerResponse to_response(SimAnswer answer, Nap& nap) {
  ServerResponse out;
  if (answer.delivery.how != Delivery::How::plain) {
    out.reset = answer.delivery.how == Delivery::How::reset;
    out.raw = [answer = std::make_shared<const SimAnswer>(std::move(answer)), &nap](const RawWriter& write) {
      deliver(*answer, write, nap);
    };
    return out;
  }
  out.status = answer.status;
  out.content_type = std::move(answer.content_type);
  out.headers = std::move(answer.headers);
  out.body = std::make_shared<const std::string>(std::move(answer.body));
  return out;
}

}  // namespace sharedrift::simulator
