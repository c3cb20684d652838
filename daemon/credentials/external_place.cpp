#include "core/text.hpp"
#include "credentials/command.hpp"
#include "credentials/finding.hpp"
#include "credentials/key_text.hpp"

namespace sharedrift {

Result<std::vector<std::string>, std::string> split_command(std::string_view command) {
  constexpr std::string_view kEscapedInQuotes = "\"\\$`\n";
  std::vector<std::string> words;
  std::optional<std::string> word;  // none between two; '' is one, too
  const auto in_word = [&word]() -> std::string& { return word ? *word : word.emplace(); };
  char quote = '\0';
  for (std::size_t at = 0; at < command.size(); ++at) {
    const char c = command[at];
    const std::string_view next = command.substr(at + 1, 1);
    const bool is_escapable = !next.empty() && kEscapedInQuotes.find(next) != std::string_view::npos;
    if (c == '\\' && (quote == '\0' || (quote == '"' && is_escapable))) {
      if (next.empty()) return Err(std::string{"process_command ends in a backslash"});
      in_word() += next;
      ++at;
    } else if (quote != '\0') {
      if (c != quote) in_word() += c;
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word();
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (word) words.push_back(std::move(*word));
      word.reset();
    } else {
      in_word() += c;
    }
  }
  if (quote != '\0') return Err(std::string{"process_command has a quote that does not end"});
  if (word) words.push_back(std::move(*word));
  if (words.empty()) return Err(std::string{"process_command is empty"});
  return words;
}

Finding external_command(std::string_view command, const CredentialWorld& world) {
  const Sight sight{world};
  if (sight.enabled("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS")) {
    return Absent{"external commands are switched off by ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"};
  }
  auto argv = split_command(command);
  if (!argv) return Broken{std::move(argv).error()};
  const auto preflight = [program = argv->front()] {
    const std::string fault = fault_of_program(program);
    return fault.empty() ? fault : "the external command " + clean(fault);
  };
  auto obtain = [argv = std::move(*argv), &world](std::stop_token stop) -> Result<Credentials, Failure> {
    auto output = world.run(argv, std::move(stop));
    if (!output) return Err(credential_failure("the external command " + std::move(output).error()));
    auto key = parse_key_json(trim(*output));
    wipe(*output);
    if (!key) {
      return Err(credential_failure("what the external command " + clean(argv.front(), 200) +
                                    " printed is of no use: " + std::move(key).error()));
    }
    if (const std::string weakness = weakness_of_program(argv.front()); !weakness.empty())
      key->warning = clean("the external command could be replaced: " + weakness);
    return std::move(*key);
  };
  return Remote{std::move(obtain), false, preflight};
}

}  // namespace sharedrift
