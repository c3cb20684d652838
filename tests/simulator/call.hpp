#pragma once

#include "http_server/http_server.hpp"
#include "simulator/signature.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sharedrift::simulator {

enum class Scheme : std::uint8_t { none, acs3, rpc };

/// A request to the API with its parameters found, wherever they travelled. Nothing is verified yet.
struct Call {
  const ServerRequest* request = nullptr;  ///< must outlive the call
  Pairs parameters;                        ///< of the query, then of the form
  std::string action;
  std::string version;
  Scheme scheme = Scheme::none;
  std::string key_id;  ///< as claimed

  /// The first of that name; present but empty counts as absent, as the API's gateways have it.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

/// `ACS3-HMAC-SHA256 Credential=..,SignedHeaders=..,Signature=..`
struct Acs3Authorization {
  std::string_view key_id;
  std::string_view signed_headers;
  std::string_view signature;
};
std::optional<Acs3Authorization> parse_authorization(std::string_view header);

Call parse_call(const ServerRequest& request);

/// The first header of that name, trimmed; empty if absent.
std::string_view header_of(const ServerRequest& request, std::string_view lower_case_name);

/// application/x-www-form-urlencoded.
Pairs parse_form(std::string_view body);

}  // namespace sharedrift::simulator
