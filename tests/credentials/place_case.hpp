#pragma once

#include "credentials/chain.hpp"
#include "credentials/credential_world.hpp"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// Tables of what one place of credentials gives in each situation.
namespace sharedrift::testing {

using Prepare = std::function<void(CredentialMachine&, CredentialSpec&)>;

/// One situation. `id` is the key that is given, or empty, and then `says` is in the error; else in the
/// warning.
struct PlaceCase {
  const char* name;
  Prepare setup;
  std::string id;
  std::string says;
};

inline Result<Credentials, Failure> key_from(CredentialMachine& machine, const CredentialSpec& options) {
  const CredentialWorld world = machine.world();
  Chain chain(options, world);
  return chain.obtain(chain.look(), {});
}

template <CredentialKind place>
void check_place(const std::vector<PlaceCase>& cases) {
  for (const PlaceCase& c : cases) {
    SCOPED_TRACE(c.name);
    CredentialMachine machine;
    CredentialSpec options;
    options.source = place;
    c.setup(machine, options);
    const auto got = key_from(machine, options);
    if (got) {
      EXPECT_EQ(got->access_key_id, c.id);
      EXPECT_THAT(got->warning, ::testing::HasSubstr(c.says));
      EXPECT_THAT(got->warning, ::testing::Not(::testing::HasSubstr("hush")));
      EXPECT_EQ(got->security_token.empty(), got->access_key_id.rfind("STS.", 0) != 0);
      continue;
    }
    EXPECT_EQ(c.id, "") << got.error().detail;
    EXPECT_EQ(got.error().reason, Reason::credentials);
    EXPECT_THAT(got.error().detail, ::testing::HasSubstr(c.says));
    EXPECT_THAT(got.error().detail, ::testing::Not(::testing::HasSubstr("hush")));
  }
}

/// A key in the environment.
inline void set_key(CredentialMachine& m, const char* id, const char* secret, const char* token) {
  m.variables["ALIBABA_CLOUD_ACCESS_KEY_ID"] = id;
  m.variables["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = secret;
  m.variables["ALIBABA_CLOUD_SECURITY_TOKEN"] = token;
}

/// The configuration of the aliyun CLI.
inline std::string cli_config(const std::string& profiles, const std::string& current = "main") {
  return R"({"current":")" + current + R"(","profiles":[)" + profiles + R"(],"meta_path":""})";
}
/// One of its profiles; `more` are further members.
inline std::string cli_profile(const std::string& name, const std::string& mode, const std::string& more) {
  return R"({"name":")" + name + R"(","mode":")" + mode + R"(",)" + more + "}";
}
inline void write_cli(CredentialMachine& m, const std::string& profiles,
                      const std::string& current = "main") {
  m.write(".aliyun/config.json", cli_config(profiles, current));
}

}  // namespace sharedrift::testing
