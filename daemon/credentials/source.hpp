#pragma once

#include "ports.hpp"
#include "wire/credential_spec.hpp"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace sharedrift {

/// The value of an environment variable; empty: not set. Thread-safe.
using Environment = std::function<std::string(const char* name)>;
/// Runs a program without a shell and returns what it printed, or what went wrong (clean, without arguments
/// and output). Blocks until the program ends, its time is up or stop is requested. Thread-safe.
using RunCommand = std::function<Result<std::string, std::string>(const std::vector<std::string>& argv,
                                                                  std::stop_token stop)>;

/// What credential sources touch. Everything referred to outlives the source.
struct CredentialWorld {
  Clock& clock;
  Random& random;
  RoleExchange& sts;
  HttpFetch fetch;
  Environment environment;
  RunCommand run;
  std::shared_ptr<const HttpRoute> route;  ///< the profile's; used for a credentials URI over https
  std::string sts_endpoint{};  ///< only where the user gave one: it wins over regions in variables and files
};

/// Who hears about the credentials of a profile; both may be empty.
struct CredentialListeners {
  ApiObserver* observer = nullptr;
  std::function<void()> changed;  ///< a remote source got an answer; called on its thread: wake the poll loop
};

/// The credential source of one profile. It reads files and variables on the caller's thread, for the first
/// time here; for anything remote (metadata service, STS, URI, external command) it has one thread of its own
/// from the moment that it is needed, and ends it in its destructor.
std::unique_ptr<CredentialSource> make_credential_source(const CredentialSpec& options, CredentialWorld world,
                                                         std::string profile, CredentialListeners listeners);

/// What is wrong with the places that `options` means, as far as this machine knows, in words. Calls nobody.
std::vector<std::string> local_credential_faults(const CredentialSpec& options, const CredentialWorld& world);

}  // namespace sharedrift
