#include "core/text.hpp"
#include "credentials/command.hpp"
#include "credentials/finding.hpp"
#include "credentials/key_text.hpp"

namespace sharedrift {

namespace {

bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// One state of the walk over a command line.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  Result<std::vector<std::string>, std::string> run() {
    for (at_ = 0; at_ < text_.size(); ++at_) {
      if (quote_ != '\0') {
        inside();
      } else {
        outside();
      }
      if (dangling_) return Err(std::string{"process_command ends in a backslash"});
    }
    if (quote_ != '\0') return Err(std::string{"process_command has a quote that does not end"});
    flush();
    if (words_.empty()) return Err(std::string{"process_command is empty"});
    return std::move(words_);
  }

 private:
  void outside() {
    const char c = text_[at_];
    if (c == '\'' || c == '"') {
      quote_ = c;
      begun_ = true;  // '' is a word, too
    } else if (blank(c)) {
      flush();
    } else if (c == '\\') {
      dangling_ = at_ + 1 == text_.size();
      if (!dangling_) put(text_[++at_]);
    } else {
      put(c);
    }
  }
  void inside() {
    const char c = text_[at_];
    if (c == quote_) {
      quote_ = '\0';
    } else if (c == '\\' && quote_ == '"' && at_ + 1 < text_.size() &&
               std::string_view{"\"\\$`\n"}.find(text_[at_ + 1]) != std::string_view::npos) {
      put(text_[++at_]);
    } else {
      put(c);
    }
  }
  void put(char c) {
    word_ += c;
    begun_ = true;
  }
  void flush() {
    if (begun_) words_.push_back(std::move(word_));
    word_.clear();
    begun_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> words_;
  std::string word_;
  bool begun_ = false;
  bool dangling_ = false;
  char quote_ = '\0';
};

}  // namespace

Result<std::vector<std::string>, std::string> split_command(std::string_view command) {
  return Splitter{command}.run();
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
