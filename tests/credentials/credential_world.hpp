#pragma once

#include "credentials/source.hpp"
#include "support/fakes.hpp"
#include "support/temp_dir.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sharedrift::testing {

/// What every secret of these tests contains: no text meant for people may.
inline constexpr std::string_view kHush = "hush";

/// An STS that remembers what it was asked and by whom, and answers by a script.
class ScriptedSts final : public RoleExchange {
 public:
  struct Call {
    RoleRequest request;
    std::string key_id;  ///< empty: unsigned
    std::string key_token;
  };
  using Script = std::function<Result<Credentials, Failure>(const Call&, std::size_t index)>;

  Result<Credentials, Failure> assume(const RoleRequest& request, const Credentials* key,
                                      std::stop_token /*stop*/) override {
    calls.push_back({request, key != nullptr ? key->access_key_id : "",
                     key != nullptr ? std::string{key->security_token.reveal()} : ""});
    return script(calls.back(), calls.size() - 1);
  }
  std::vector<Call> calls;
  Script script;
};

/// A machine with scripted variables, network, STS and programs, and a home in a directory of its own.
class CredentialMachine {
 public:
  CredentialMachine() {
    variables["HOME"] = home.path().string();
    web = [](const HttpRequest& /*request*/) { return refused(); };
    sts.script = [this](const ScriptedSts::Call& call, std::size_t index) -> Result<Credentials, Failure> {
      Credentials got;
      got.access_key_id = "STS." + std::to_string(index) + (call.key_id.empty() ? "" : "." + call.key_id);
      got.access_key_secret = Secret{"hush-sts"};
      got.security_token = Secret{"hush-sts-token"};
      got.expires = clock.wall() + std::chrono::seconds{call.request.duration};
      return got;
    };
    run = [this](const std::vector<std::string>& argv) -> Result<std::string, std::string> {
      commands.push_back(argv);
      return Err(std::string{"no such program"});
    };
  }

  [[nodiscard]] CredentialWorld world() {
    return {
        clock,
        random,
        sts,
        [this](HttpRequest request, Millis /*timeout*/, const std::stop_token& /*stop*/) {
          requests.push_back(request);
          return web(request);
        },
        [this](const char* name) {
          const auto found = variables.find(name);
          return found == variables.end() ? std::string{} : found->second;
        },
        [this](const std::vector<std::string>& argv, const std::stop_token& /*stop*/) { return run(argv); },
        std::make_shared<const HttpRoute>(HttpRoute{"/ca.pem", "http://proxy.example:3128"})};
  }

  /// Writes a file below the home, mode 0600, and makes sure that its stamp differs from before.
  std::string write(const std::string& name, std::string_view content) {
    const std::filesystem::path path = home.path() / name;
    std::filesystem::create_directories(path.parent_path());
    {
      std::ofstream out(path, std::ios::binary | std::ios::trunc);
      out << content;
    }
    std::filesystem::permissions(path,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    // Two writes within one tick of the file system's clock would look alike.
    written_ += std::chrono::seconds{1};
    std::filesystem::last_write_time(path, written_);
    return path.string();
  }

  static HttpResult refused() { return Err(TransportError{Reason::connect, "connection refused"}); }
  static HttpResult answer(int status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
  }
  [[nodiscard]] std::string key_json(const std::string& id, std::chrono::seconds life) const {
    return R"({"Code":"Success","AccessKeyId":")" + id +
           R"(","AccessKeySecret":"hush-remote","SecurityToken":"hush-remote-token","Expiration":")" +
           format_rfc3339(clock.wall() + life) + R"(","LastUpdated":"2026-11-18T00:00:00Z"})";
  }

  TempDir home;
  ManualClock clock;
  SeededRandom random;
  ScriptedSts sts;
  std::map<std::string, std::string> variables;
  std::function<HttpResult(const HttpRequest&)> web;
  std::vector<HttpRequest> requests;
  std::function<Result<std::string, std::string>(const std::vector<std::string>&)> run;
  std::vector<std::vector<std::string>> commands;

 private:
  std::filesystem::file_time_type written_ =
      std::filesystem::file_time_type::clock::now() - std::chrono::hours{24};
};

}  // namespace sharedrift::testing
