#include "config/endpoint.hpp"

#include "config/diagnostic.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace sharedrift {

namespace {

constexpr std::array<std::string_view, 5> kEnsHosts{
    "ens.aliyuncs.com", "ens.ap-southeast-1.aliyuncs.com", "ens-vpc.cn-zhangjiakou.aliyuncs.com",
    "ens.vpc-proxy.aliyuncs.com", "ens-vpc.ap-southeast-1.aliyuncs.com"};

Err<UrlFault> fault(std::string message, std::string hint = {}) {
  return Err(UrlFault{std::move(message), std::move(hint)});
}

std::optional<UrlFault> require_origin(const Url& url) {
  if (!url.login.empty()) return UrlFault{"must not hold a user or password", ""};
  if (!url.path.empty()) {
    return UrlFault{"must not hold a path or query", "did you mean " + in_quotes(url.origin()) + "?"};
  }
  return std::nullopt;
}

bool is_sts_host(std::string_view host) {
  constexpr std::string_view kDomain = ".aliyuncs.com";
  if (host == "sts.aliyuncs.com") return true;
  if (!host.ends_with(kDomain)) return false;
  host.remove_suffix(kDomain.size());
  const bool vpc = host.starts_with("sts-vpc.");
  if (!vpc && !host.starts_with("sts.")) return false;
  host.remove_prefix(vpc ? 8 : 4);
  return host.find('.') == std::string_view::npos && host.find('-') != std::string_view::npos;
}

bool is_known(std::string_view host, Service service) {
  if (service == Service::sts) return is_sts_host(host);
  return std::find(kEnsHosts.begin(), kEnsHosts.end(), host) != kEnsHosts.end();
}

std::optional<UrlFault> require_safe_metadata(const Url& url) {
  if (!url.login.empty()) return UrlFault{"must not hold a user or password", ""};
  if (may_carry_credentials(url)) return std::nullopt;
  return UrlFault{"must use https: " + in_quotes(url.host) + " is neither loopback nor a metadata address",
                  ""};
}

}  // namespace

Result<std::string, UrlFault> check_endpoint(std::string_view text, Service service, bool allow_any) {
  SD_TRY(url, parse_url(text));
  if (auto problem = require_origin(url)) return Err(std::move(*problem));
  const bool local = is_local(url.host);
  if (!url.https && !local) return fault("must use https: " + in_quotes(url.host) + " is not loopback");
  if (!local && !allow_any && !is_known(url.host, service)) {
    return fault(
        in_quotes(url.host) + " is not known as an endpoint of " + (service == Service::ens ? "ENS" : "STS"),
        "if it is meant, set allow_any_endpoint: true");
  }
  return url.origin();
}

Result<std::string, UrlFault> check_proxy(std::string_view text) {
  SD_TRY(url, parse_url(text));
  if (url.path == "/") url.path.clear();
  if (!url.path.empty()) return fault("must not hold a path or query", login_hint(text));
  // Left out, curl takes 1080, and people think of 80, 3128 or 8080.
  if (url.port == 0) return fault("needs a port");
  return std::string{url.scheme()} + "://" + url.login + url.authority();
}

Result<std::string, UrlFault> check_metadata_endpoint(std::string_view text) {
  SD_TRY(url, parse_url(text));
  if (auto problem = require_origin(url)) return Err(std::move(*problem));
  if (auto problem = require_safe_metadata(url)) return Err(std::move(*problem));
  return url.origin();
}

Result<std::string, UrlFault> check_credentials_uri(std::string_view text) {
  SD_TRY(url, parse_url(text));
  if (auto problem = require_safe_metadata(url)) return Err(std::move(*problem));
  if (url.path.find('#') != std::string::npos) return fault("must not hold a fragment");
  return url.origin() + url.path;
}

std::string masked_url(std::string_view url_text) {
  const auto url = parse_url(url_text);
  if (!url) return "***";
  const std::string path = url->path.substr(0, url->path.find('?'));
  return std::string{url->scheme()} + "://" + (url->login.empty() ? "" : "***@") + url->authority() + path +
         (path.size() < url->path.size() ? "?***" : "");
}

}  // namespace sharedrift
