#include "simulator/spoil.hpp"

#include <string>

#include <zlib.h>

namespace sharedrift::simulator {

namespace {

/// gzip of `text`; empty if zlib cannot.
std::string gzipped(const std::string& text) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  // zlib's interface takes no const; it does not write to the input.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int done = deflate(&stream, Z_FINISH);
  out.resize(done == Z_STREAM_END ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

Delivery::Framing framing_of(const Fault& fault) {
  const std::string& text = fault.text("framing");
  if (text == "length") return Delivery::Framing::length;
  return text == "chunked" ? Delivery::Framing::chunked : Delivery::Framing::none;
}

void choose_delivery(SimAnswer& answer, const Effects& effects) {
  Delivery& delivery = answer.delivery;
  if (const Fault* cut = effects.find(FaultKind::cut)) {
    delivery.how = Delivery::How::cut;
    delivery.framing = framing_of(*cut);
    delivery.bytes = answer.body.size() * static_cast<std::size_t>(cut->number("percent")) / 100;
  }
  if (const Fault* drip = effects.find(FaultKind::drip)) {
    delivery.how = Delivery::How::drip;
    delivery.bytes = static_cast<std::size_t>(drip->number("bytes"));
    delivery.interval = Millis{drip->number("interval_ms")};
  }
  if (const Fault* endless = effects.find(FaultKind::endless)) {
    delivery.how = Delivery::How::endless;
    delivery.framing = framing_of(*endless);
  }
  if (const Fault* reset = effects.find(FaultKind::reset)) {
    delivery.how = Delivery::How::reset;
    delivery.bytes = static_cast<std::size_t>(reset->number("bytes"));
  }
}

}  // namespace

bool answer_early(SimAnswer& answer, const Effects& effects) {
  if (const Fault* html = effects.find(FaultKind::html)) {
    answer.status = static_cast<int>(html->number("status"));
    answer.content_type = "text/html";
    const std::string title = std::to_string(answer.status) + " Bad Gateway";
    answer.body = "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
                  "</h1></center>\r\n<hr><center>Tengine</center>\r\n</body>\r\n</html>\r\n";
    return true;
  }
  if (const Fault* empty = effects.find(FaultKind::empty_body)) {
    answer.status = static_cast<int>(empty->number("status"));
    return true;
  }
  if (const Fault* redirect = effects.find(FaultKind::redirect)) {
    answer.status = static_cast<int>(redirect->number("status"));
    answer.content_type = "text/html";
    answer.headers.emplace_back("Location", redirect->text("location"));
    return true;
  }
  return false;
}

void spoil(SimAnswer& answer, const Effects& effects) {
  if (const Fault* huge = effects.find(FaultKind::huge)) {
    answer.body.append(static_cast<std::size_t>(huge->number("mb")) << 20U, ' ');
  }
  if (const Fault* gzip = effects.find(FaultKind::gzip)) {
    if (gzip->text("form") == "real") answer.body = gzipped(answer.body);
    answer.headers.emplace_back("Content-Encoding", "gzip");
  }
  choose_delivery(answer, effects);
}

}  // namespace sharedrift::simulator
