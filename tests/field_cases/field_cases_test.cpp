#include "aliyun/classify.hpp"
#include "config/endpoint.hpp"
#include "credentials/place_case.hpp"
#include "http_client/proxy_environment.hpp"
#include "support/test_data.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

/// What people met with tools like this one: tests/data/field-cases.json, each row with its right answer.
namespace sharedrift::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

json rows(const char* table) {
  std::ifstream file(test_data("field-cases.json"));
  return json::parse(file).at(table);
}
std::string text(const json& row, const char* name) {
  return row.contains(name) ? row[name].get<std::string>() : std::string{};
}

void set_up(CredentialMachine& machine, const json& row) {
  machine.variables["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] = "true";
  const json files = row.value("files", json::object());
  for (const auto& [name, content] : files.items())
    machine.write(name, content.get<std::string>());
  const json variables = row.value("variables", json::object());
  for (const auto& [name, value] : variables.items()) {
    std::string given = value.get<std::string>();
    if (given.starts_with("HOME/")) given.replace(0, 4, machine.home.path().string());
    machine.variables[name] = given;
  }
}

TEST(FieldCases, Credentials) {
  for (const json& row : rows("credentials")) {
    SCOPED_TRACE(text(row, "case") + ": " + text(row, "what"));
    CredentialMachine machine;
    set_up(machine, row);
    CredentialSpec options;
    const std::string source = text(row, "source");
    if (source == "cli_profile") options.source = CredentialKind::cli_profile;
    if (source == "profile_ini") options.source = CredentialKind::profile_ini;
    const auto got = key_from(machine, options);
    EXPECT_EQ(got ? got->access_key_id : "", text(row, "id")) << (got ? "" : got.error().detail);
    if (got && row.contains("secret")) {
      EXPECT_EQ(std::string(got->access_key_secret.reveal()), text(row, "secret"));
    }
    const std::string told = got ? got->warning : got.error().detail;
    EXPECT_THAT(told, HasSubstr(text(row, "says")));
    EXPECT_THAT(told, HasSubstr(text(row, "also")));
    EXPECT_THAT(told, Not(HasSubstr("hush")));
    if (text(row, "says").empty()) {
      EXPECT_EQ(told, "");
    }
  }
}

TEST(FieldCases, CodesOfTheApi) {
  for (const json& row : rows("codes")) {
    SCOPED_TRACE(text(row, "case") + ": " + text(row, "code"));
    const ApiError error = classify_refusal(text(row, "code"), row["status"].get<int>(), "R-1",
                                            text(row, "message"), "ens:DescribeSelfImages");
    EXPECT_EQ(std::string(to_string(error.failure.reason)), text(row, "reason"));
    EXPECT_EQ(error.failure.code, text(row, "code"));
    EXPECT_THAT(error.failure.detail, HasSubstr(text(row, "says")));
    EXPECT_THAT(error.failure.detail, HasSubstr(text(row, "also")));
    EXPECT_THAT(error.failure.detail, Not(HasSubstr("hush")));
    if (row.contains("never")) {
      EXPECT_THAT(error.failure.detail, Not(HasSubstr(text(row, "never"))));
    }
  }
}

TEST(FieldCases, ProxyUrls) {
  for (const json& row : rows("proxies")) {
    SCOPED_TRACE(text(row, "case") + ": " + text(row, "url"));
    const auto checked = check_proxy(text(row, "url"));
    ASSERT_EQ(checked.has_value(), text(row, "says").empty());
    if (checked) continue;
    EXPECT_THAT(checked.error().message, HasSubstr(text(row, "says")));
    EXPECT_THAT(checked.error().hint, HasSubstr(text(row, "hint")));
    EXPECT_THAT(checked.error().message + checked.error().hint, Not(HasSubstr("jdoe")));
  }
}

TEST(FieldCases, ExceptionsFromProxies) {
  for (const json& row : rows("no_proxy")) {
    SCOPED_TRACE(text(row, "case") + ": " + text(row, "list") + " " + text(row, "host"));
    EXPECT_EQ(is_excepted(text(row, "list"), text(row, "host"), 443), row["excepted"].get<bool>());
  }
}

TEST(FieldCases, ProxiesOfTheEnvironment) {
  for (const json& row : rows("environment_proxies")) {
    SCOPED_TRACE(row.dump());
    const auto url =
        parse_url(row["https"].get<bool>() ? "https://ens.aliyuncs.com" : "http://127.0.0.1:8100");
    const auto found = environment_proxy(
        url.value(), [&row](const char* name) { return row["variables"].value(name, std::string{}); });
    ASSERT_EQ(found.has_value(), text(row, "says").empty());
    if (found) {
      EXPECT_EQ(found->variable, text(row, "variable"));
      EXPECT_EQ(found->url, text(row, "url"));
    } else {
      EXPECT_EQ(found.error(), text(row, "says"));
    }
  }
}

}  // namespace
}  // namespace sharedrift::testing
