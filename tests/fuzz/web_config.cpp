/// A web config: refused with readable reasons, or taken with nothing in it that a server could not send.
#include "web/web_config.hpp"

#include "core/text.hpp"
#include "fuzz.hpp"

namespace sharedrift::fuzz {
namespace {

void check(std::string_view text) {
  const WebConfigResult config = parse_web_config(text, "/etc/web.yml");
  if (!config) {
    require(!config.error().empty(), "a refusal has a reason", text);
    for (const Diagnostic& reason : config.error()) {
      const std::string line = to_string(reason);
      require_one_line(line, "a reason is one line");
      require(is_valid_utf8(line), "a reason is UTF-8", line);
    }
    return;
  }
  for (const auto& [name, value] : config->headers) {
    require(!name.empty(), "headers have names", text);
    require_one_line(name, "a header's name is one line");
    require_one_line(value, "a header's value is one line");
  }
  for (const auto& [name, hash] : config->users)
    require(!name.empty() && hash.starts_with("$2"), "users have bcrypt hashes", text);
  if (!config->tls) return;
  require(!config->tls->cert_file.empty() && !config->tls->key_file.empty(), "TLS has its files", text);
  const bool verifies = config->tls->client_auth >= ClientAuth::verify_if_given;
  require(!verifies || !config->tls->client_ca_file.empty(), "who verifies has a CA", text);
  require(config->tls->client_allowed_sans.empty() || verifies, "names are looked at where they are proven",
          text);
}

}  // namespace
}  // namespace sharedrift::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sharedrift::fuzz::check(sharedrift::fuzz::as_text(data, size));
  return 0;
}
