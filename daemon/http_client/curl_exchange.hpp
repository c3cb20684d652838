#pragma once

#include "ports.hpp"

#include <array>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <curl/curl.h>

namespace sharedrift {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeHeaderList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeHeaderList>;

/// A libcurl handle between and during exchanges. Setting its options takes longer than signing a request, so
/// what does not change with the request stays set.
struct EasyHandle {
  CURL* easy = nullptr;
  std::shared_ptr<const HttpRoute> route{};
  std::string url{};  ///< that is set: scheme and authority, or all of it where libcurl makes the target
  std::unique_ptr<CURLU, FreeUrl> parsed_url{};  ///< the same; null: it cannot be parsed
  bool plain = false;                            ///< for http, not https
  bool prepared = false;                         ///< the options for that route are set
  /// Whether the request can go out on it without setting them anew.
  [[nodiscard]] bool serves(const HttpRequest& request) const;
};

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
  bool proxied = false;  ///< a proxy was configured; one that libcurl finds in the environment does not count
  bool handshake = false;  ///< TLS has begun, so there is a connection (and a tunnel)
  bool sent = false;       ///< the request was handed to a connection
  EasyHandle handle;
  HeaderList header_list;
  std::list<Exchange>::iterator self;
  std::array<char, CURL_ERROR_SIZE> error_text{};
};

/// Sets every option of the exchange's handle that is not as the request needs it. False when memory is
/// short.
bool configure(Exchange& exchange, Millis left);

/// As new, whatever the last exchange left behind.
void reset(EasyHandle& handle);

/// Takes away what points into the exchange that is over. What else does is set by configure() before it is
/// used again.
void forget_exchange(EasyHandle& handle);

/// The outcome once libcurl is done with it: the answer if it is whole and framed, or the reason why not.
HttpResult conclude(Exchange& exchange, CURLcode code);

}  // namespace sharedrift
