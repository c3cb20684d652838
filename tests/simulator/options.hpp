#pragma once

#include "core/result.hpp"
#include "simulator/api.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace sharedrift::simulator {

/// What the command line asks for.
struct Options {
  std::string host = "127.0.0.1";
  int port = 0;
  std::string tls_cert;  ///< with tls_key: a second listener that speaks TLS
  std::string tls_key;
  int tls_port = 0;
  std::uint64_t seed = 1;
  nlohmann::json scenario;  ///< the file's, and what the flags add to it
  std::string unseen;       ///< what the report that `--behaviour` names did not see, for people
};

/// Why there are no options: text to print and the exit code (0 for --help).
struct OptionsEnd {
  std::string text;
  int exit_code = 2;
};

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Flags without the program's name. Secrets come by file or environment only.
Result<Options, OptionsEnd> parse_options(std::vector<std::string> arguments, const Environment& environment,
                                          const FileReader& read_file);

}  // namespace sharedrift::simulator
