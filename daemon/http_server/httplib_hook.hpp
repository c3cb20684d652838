#pragma once

#include <functional>
#include <string>
#include <type_traits>

#include <httplib.h>

#ifndef CPPHTTPLIB_OPENSSL_SUPPORT
#error "cpp-httplib needs the flags of its pkg-config file: they change its classes (see CMakeLists.txt)"
#endif

namespace sharedrift {

/// The one member of cpp-httplib that we need and that is not public: Server::process_request(), which
/// answers one request from any stream. In 0.11.4 (Debian 12) it asks the stream for the addresses of both
/// ends, in 0.18.7 (Debian 13) it is told them; we use neither.
class HttplibHook : protected httplib::Server {
 protected:
  /// False if nothing could be answered. `closes`: the client wants no other answer.
  bool process(httplib::Stream& stream, bool close, bool& closes) {
    return call(&HttplibHook::process_request, stream, close, closes);
  }

 private:
  using Setup = std::function<void(httplib::Request&)>;
  using Text = std::string;
  using Debian12 = bool (Server::*)(httplib::Stream&, bool, bool&, const Setup&);
  using Debian13 = bool (Server::*)(httplib::Stream&, const Text&, int, const Text&, int, bool, bool&,
                                    const Setup&);

  template <class Member>
  bool call(Member member, httplib::Stream& stream, bool close, bool& closes) {
    if constexpr (std::is_same_v<Member, Debian12>) {
      return (this->*member)(stream, close, closes, nullptr);
    } else {
      static_assert(std::is_same_v<Member, Debian13>,
                    "cpp-httplib's Server::process_request() is neither as in 0.11.4 nor as in 0.18.7");
      return (this->*member)(stream, "", 0, "", 0, close, closes, nullptr);
    }
  }
};

}  // namespace sharedrift
