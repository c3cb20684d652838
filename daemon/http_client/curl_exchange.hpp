#pragma once

#include "ports.hpp"
#include "wire/url.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <curl/curl.h>

namespace sharedrift {

struct FreeCurl {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using EasyHandle = std::unique_ptr<CURL, FreeCurl>;
using HeaderList = std::unique_ptr<curl_slist, FreeCurl>;

/// One exchange as CurlTransport has it under way: what was asked, what has come so far, and how far it got.
/// libcurl holds its address, so it stays where it is until its handle is out of the multi handle.
struct Exchange {
  /// What the callbacks have seen of the answer's framing.
  struct Head {
    std::size_t bytes = 0;  ///< of every head of the exchange, the 1xx ones included
    bool complete = false;  ///< the blank line came; what follows is a body, trailers or, after a 1xx, a head
    bool chunked = false;
    std::optional<std::string> length;
  };

  HttpRequest request;
  HttpDone done;
  HttpResponse response;
  std::optional<TransportError> verdict;  ///< ours, as far as libcurl was not asked or did what we told it to
  Head head;
  bool proxied = false;          ///< it goes through a proxy
  bool proxy_login = false;      ///< which is told a user and a password
  bool proxy_handshake = false;  ///< the next handshake will be the proxy's own
  bool handshake = false;        ///< TLS has begun, so there is a connection (and a tunnel)
  bool sent = false;             ///< the request was handed to a connection
  HeaderList header_list;
  std::array<char, CURL_ERROR_SIZE> error_text{};
  EasyHandle easy;  ///< set up for the request's route
};

/// Sets what every request by one route has in common. The handle is as new.
void set_up(CURL* easy, const HttpRoute& route);

/// Sets the rest, each time all of it, on a handle that is set up for the request's route. `url` is the
/// request's. False when memory is short.
bool configure(Exchange& exchange, const Url& url, Millis left);

/// The outcome once libcurl is done with it: the answer if it is whole and framed, or the reason why not.
HttpResult conclude(Exchange& exchange, CURLcode code);

}  // namespace sharedrift
