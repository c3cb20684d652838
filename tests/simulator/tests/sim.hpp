#pragma once

#include "simulator/load.hpp"
#include "simulator/signature.hpp"
#include "simulator/simulator.hpp"
#include "wire/digest.hpp"
#include "wire/encoding.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

/// A simulator without sockets, and clients that sign as the official ones do.
namespace sharedrift::simulator::testing {

using nlohmann::json;

inline constexpr const char* kImage = "m-5s7qotzavwbrnzaqh4unm0000";

struct Answered {
  int status = 0;
  std::string text;
  json body;
  SimAnswer raw;
  [[nodiscard]] std::string code() const {
    return body.is_object() && body.contains("Code") && body["Code"].is_string()
               ? body["Code"].get<std::string>()
               : "";
  }
  [[nodiscard]] std::string header(const std::string& name) const {
    for (const auto& [key, value] : raw.headers) {
      if (key == name) return value;
    }
    return "";
  }
};

inline Answered answered(SimAnswer answer) {
  Answered out{answer.status, answer.body, json::parse(answer.body, nullptr, false), {}};
  out.raw = std::move(answer);
  return out;
}

inline std::vector<std::string> uids(const json& body) {
  std::vector<std::string> out;
  for (const json& row : body["Accounts"]["Account"])
    out.push_back(row["AliyunUid"]);
  return out;
}

/// What a test can bend before a request is signed or sent.
struct Acs3Options {
  std::string key_id = "ak";
  std::string secret = "sk";
  std::string token;
  std::string method = "POST";
  std::string version = "2017-11-10";
  std::string body;
  std::string content_type;
  std::string nonce;                           ///< empty: a fresh one
  std::chrono::seconds client_skew{0};         ///< of the client's clock
  std::string date;                            ///< instead of the clock
  std::vector<std::string> leave_unsigned;     ///< headers present but not signed
  std::vector<std::string> leave_out;          ///< headers not sent at all
  std::map<std::string, std::string> replace;  ///< headers changed after signing
};

class Sim {
 public:
  explicit Sim(json scenario = default_scenario()) {
    auto made = Simulator::create(
        std::move(scenario), 1,
        [this](const std::string& path) -> std::optional<std::string> {
          const auto it = files.find(path);
          if (it == files.end()) return std::nullopt;
          return it->second;
        },
        now.wall);
    if (!made) throw std::runtime_error(made.error());
    simulator_ = std::move(made).value();
  }

  static json default_scenario() {
    return {{"images", {{{"id", kImage}, {"name", "edge"}, {"generated", 3}}}},
            {"keys", {{{"id", "ak"}, {"secret", "sk"}}}}};
  }

  ServerRequest acs3(const std::string& action, Pairs query = {}, const Acs3Options& o = {}) {
    ServerRequest request = bare(o.method, "/");
    request.query = std::move(query);
    request.body = o.body;
    std::map<std::string, std::string> headers{
        {"host", "127.0.0.1:4711"},
        {"x-acs-action", action},
        {"x-acs-version", o.version},
        {"x-acs-date", o.date.empty() ? format_api_time(now.wall + o.client_skew) : o.date},
        {"x-acs-signature-nonce", o.nonce.empty() ? "nonce-" + std::to_string(++nonce_) : o.nonce},
        {"x-acs-content-sha256", to_hex(sha256(o.body))}};
    if (!o.token.empty()) headers["x-acs-security-token"] = o.token;
    if (!o.content_type.empty()) headers["content-type"] = o.content_type;
    for (const std::string& name : o.leave_out)
      headers.erase(name);
    Pairs to_sign;
    std::string names;
    for (const auto& [name, value] : headers) {
      if (std::find(o.leave_unsigned.begin(), o.leave_unsigned.end(), name) != o.leave_unsigned.end())
        continue;
      to_sign.emplace_back(name, value);
      names += (names.empty() ? "" : ";") + name;
    }
    const std::string hash = headers["x-acs-content-sha256"];
    const std::string text =
        acs3_string_to_sign(acs3_canonical_request(o.method, request.query, to_sign, hash));
    headers["authorization"] = "ACS3-HMAC-SHA256 Credential=" + o.key_id + ",SignedHeaders=" + names +
                               ",Signature=" + acs3_signature(o.secret, text);
    for (const auto& [name, value] : o.replace)
      headers[name] = value;
    for (const auto& header : headers) {
      if (!header.second.empty()) request.headers.push_back(header);
    }
    return request;
  }

  /// The legacy signature; all parameters in the query.
  ServerRequest rpc(const std::string& action, Pairs parameters = {}, const std::string& secret = "sk",
                    const std::string& version = "2017-11-10", const std::string& method = "POST") {
    ServerRequest request = bare(method, "/");
    const Pairs common{{"Action", action},
                       {"Version", version},
                       {"Format", "JSON"},
                       {"SignatureMethod", "HMAC-SHA1"},
                       {"SignatureVersion", "1.0"},
                       {"Timestamp", format_api_time(now.wall)},
                       {"SignatureNonce", "nonce-" + std::to_string(++nonce_)}};
    for (const auto& one : common) {
      const bool given = std::any_of(parameters.begin(), parameters.end(),
                                     [&one](const auto& p) { return p.first == one.first; });
      if (!given) parameters.push_back(one);
    }
    const bool has_key = std::any_of(parameters.begin(), parameters.end(),
                                     [](const auto& p) { return p.first == "AccessKeyId"; });
    if (!has_key) parameters.emplace_back("AccessKeyId", "ak");
    parameters.emplace_back("Signature", rpc_signature(secret, rpc_string_to_sign(method, parameters)));
    request.query = std::move(parameters);
    return request;
  }

  Answered send(const ServerRequest& request) { return answered(simulator_->handle(request, now)); }
  Answered call(const std::string& action, Pairs query = {}, const Acs3Options& options = {}) {
    return send(acs3(action, std::move(query), options));
  }
  /// DescribeImageSharePermission of the image with further parameters.
  Answered list(Pairs query = {}, const Acs3Options& options = {}) {
    query.emplace_back("ImageId", kImage);
    return call("DescribeImageSharePermission", std::move(query), options);
  }
  Answered control(const std::string& path, const json& body = json::object()) {
    ServerRequest request = bare("POST", "/_sim/" + path);
    request.body = body.dump();
    return send(request);
  }
  Answered look(const std::string& path, Pairs query = {}) {
    ServerRequest request = bare("GET", "/_sim/" + path);
    request.query = std::move(query);
    return send(request);
  }
  void fault(const json& spec) {
    const Answered answer = control("faults", spec);
    if (answer.status != 200) throw std::runtime_error(answer.text);
  }

  static ServerRequest bare(const std::string& method, const std::string& path) {
    ServerRequest request;
    request.method = method;
    request.path = path;
    request.remote_address = "127.0.0.1";
    return request;
  }

  void pass(Millis time) { now = {now.mono + time, now.wall + time}; }

  Instant now{MonoTime{std::chrono::hours{1}}, WallTime{Millis{1'795'000'000'000}}};
  std::map<std::string, std::string> files;

 private:
  std::unique_ptr<Simulator> simulator_;
  int nonce_ = 0;
};

}  // namespace sharedrift::simulator::testing
