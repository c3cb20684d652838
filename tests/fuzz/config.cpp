/// A config: refused with readable reasons, or taken and then written out as the same config.
#include "config/config_lint.hpp"
#include "config/config_loader.hpp"
#include "config/config_writer.hpp"
#include "core/text.hpp"
#include "fuzz.hpp"

namespace sharedrift::fuzz {
namespace {

void check_reasons(const std::vector<Diagnostic>& reasons) {
  for (const Diagnostic& reason : reasons) {
    const std::string line = to_string(reason);
    require_one_line(line, "a reason is one line");
    require(is_valid_utf8(line), "a reason is UTF-8", line);
    require(reason.line >= 0 && reason.column >= 0, "a reason is somewhere in the file", line);
  }
}

/// Without the first line, which names the file it came from by its hash.
std::string_view rules(std::string_view written) {
  return written.substr(written.find('\n'));
}

void check(std::string_view text) {
  const ConfigResult config = parse_config(text, "f.yml");
  const LintReport lint = lint_config({{"f.yml", std::string(text)}}, WallTime{Millis{1'795'000'000'000}});
  check_reasons(lint.warnings);
  require(config.has_value() == lint.errors.empty(), "lint and loader agree", text);
  if (!config) {
    require(!config.error().empty(), "a refusal has a reason", text);
    check_reasons(config.error());
    return;
  }
  require(!(config->images.empty() && config->discover.empty()) && !config->profiles.empty(),
          "a config watches something", text);
  const std::string written = to_yaml(*config);
  const ConfigResult again = parse_config(written, "again.yml");
  require(again.has_value(), "a written config is taken", written);
  require(rules(to_yaml(*again)) == rules(written), "a written config is the same", written);
}

}  // namespace
}  // namespace sharedrift::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sharedrift::fuzz::check(sharedrift::fuzz::as_text(data, size));
  return 0;
}
