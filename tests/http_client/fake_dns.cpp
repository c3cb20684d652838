#include "http_client/fake_dns.hpp"

#include <condition_variable>
#include <mutex>
#include <string_view>

#include <dlfcn.h>
#include <netdb.h>

namespace sharedrift::testing {
namespace {

using Resolve = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

struct Switch {
  std::mutex mutex;
  std::condition_variable changed;
  bool on = false;
  int hanging = 0;
};
Switch& the_switch() {
  static Switch one;
  return one;
}

Resolve real_resolve() {
  static const auto real = reinterpret_cast<Resolve>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real;
}

int resolve_address(const char* address, const char* service, const addrinfo* hints, addrinfo** out) {
  addrinfo numeric = hints != nullptr ? *hints : addrinfo{};
  numeric.ai_flags = AI_NUMERICHOST;
  numeric.ai_family = AF_UNSPEC;
  return real_resolve()(address, service, &numeric, out);
}

int hang() {
  Switch& dns = the_switch();
  std::unique_lock lock(dns.mutex);
  ++dns.hanging;
  dns.changed.wait(lock, [&dns] { return !dns.on; });
  --dns.hanging;
  dns.changed.notify_all();
  return EAI_AGAIN;
}

}  // namespace

FakeDns::FakeDns() {
  const std::scoped_lock lock(the_switch().mutex);
  the_switch().on = true;
}

FakeDns::~FakeDns() {
  Switch& dns = the_switch();
  std::unique_lock lock(dns.mutex);
  dns.on = false;
  dns.changed.notify_all();
  dns.changed.wait(lock, [&dns] { return dns.hanging == 0; });
}

int resolve(const char* node, const char* service, const addrinfo* hints, addrinfo** out) {
  const std::string_view name = node != nullptr ? node : "";
  {
    const std::scoped_lock lock(the_switch().mutex);
    if (!the_switch().on || !name.ends_with(".test")) return real_resolve()(node, service, hints, out);
  }
  if (name == "hangs.test") return hang();
  if (name == "origin.test") return resolve_address("127.0.0.1", service, hints, out);
  if (name != "twin.test") return EAI_NONAME;
  if (const int error = resolve_address("::1", service, hints, out); error != 0) return error;
  return resolve_address("127.0.0.1", service, hints, &(*out)->ai_next);
}

}  // namespace sharedrift::testing

/// The executable's symbol goes before libc's, for libcurl's resolver threads, too.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** out) {
  return sharedrift::testing::resolve(node, service, hints, out);
}
