#pragma once

#include "core/result.hpp"
#include "wire/url.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace sharedrift {

/// The value of a variable; empty: not set.
using ReadVariable = std::function<std::string(const char* name)>;
/// Of this process.
std::string process_variable(const char* name);

/// A proxy that the environment names for an address.
struct EnvironmentProxy {
  std::string variable;  ///< where it stands; empty: there is none for this address
  std::string url;       ///< may hold a login; as libcurl takes it
};

/// Reads `https_proxy`, `HTTPS_PROXY` (or those of http), `ALL_PROXY` and `NO_PROXY` in the forms that
/// curl's, Go's and Alibaba Cloud's tools take. A proxy that is none is the error: its variable and what is
/// wrong, never its text.
Result<EnvironmentProxy, std::string> environment_proxy(const Url& target, const ReadVariable& read);

/// Whether a list like NO_PROXY excepts a host (in lower case, without brackets): `*`, a domain with all
/// below it (also as `.domain` and `*.domain`), an address, a network such as 10.0.0.0/8; each may end in a
/// port.
bool is_excepted(std::string_view list, std::string_view host, int port);

}  // namespace sharedrift
