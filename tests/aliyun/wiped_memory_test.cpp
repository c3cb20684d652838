// What held a secret is overwritten before its memory is given back.
#include "aliyun/rpc_signature.hpp"
#include "aliyun/signer.hpp"
#include "aliyun/sts_client.hpp"
#include "support/fakes.hpp"

#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>

namespace {

/// What is given back while it is watched.
struct GivenBack {
  bool watched = false;
  const void* only = nullptr;  ///< this block; null: any
  int unwiped = 0;             ///< blocks that still hold a secret of these tests
};
GivenBack& memory() {
  static GivenBack now;
  return now;
}

void give_back(void* block) noexcept {
  if (block != nullptr && memory().watched && (memory().only == nullptr || memory().only == block)) {
    const std::string_view text(static_cast<const char*>(block), ::malloc_usable_size(block));
    if (text.find("hush-") != std::string_view::npos) ++memory().unwiped;
  }
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  give_back(block);
}
void operator delete(void* block, std::size_t /*size*/) noexcept {
  give_back(block);
}

namespace sharedrift {
namespace {

/// How many blocks `act` gives back that hold a secret.
template <class Act>
int unwiped_by(Act act) {
  memory() = {true};
  act();
  const int unwiped = memory().unwiped;
  memory() = {};
  return unwiped;
}

Credentials key_with_a_token() {
  Credentials key;
  key.access_key_id = "STS.NUk3ehTqTk6gaSfvXVGyDAmyz";
  key.access_key_secret = Secret("hush-secret-of-many-letters");
  key.security_token = Secret("hush-token-" + std::string(3000, 't'));
  return key;
}

TEST(WipedMemory, NeitherSecretNorTokenIsLeftOfASignature) {
  const Credentials key = key_with_a_token();
  std::optional<HttpRequest> sent;  // the token is in it
  EXPECT_EQ(unwiped_by([&] {
              sent = signed_request({"https", "h", "A", "V", "a=1"}, key, "n", WallTime{});
            }),
            0);
  EXPECT_TRUE(sent);
}

TEST(WipedMemory, NeitherSecretNorTokenIsLeftOfAnRpcSignature) {
  const Credentials key = key_with_a_token();
  const RpcParameters parameters{{"Action", "AssumeRole"},
                                 {"SecurityToken", std::string(key.security_token.reveal())}};
  std::string signature;
  EXPECT_EQ(unwiped_by([&] { signature = rpc_signature("POST", parameters, key.access_key_secret); }), 0);
  EXPECT_FALSE(signature.empty());
}

/// Asks for a role; what is sent lives on in `sent`.
Result<Credentials, Failure> assume(const RoleRequest& role, const Credentials* key,
                                    std::vector<HttpRequest>& sent, const HttpFetch& answer) {
  testing::ManualClock clock;
  testing::SeededRandom random;
  StsClient client(
      clock, random,
      [&](HttpRequest request, Millis timeout, std::stop_token stop) {
        sent.push_back(std::move(request));
        return answer({}, timeout, std::move(stop));
      },
      nullptr, std::make_shared<ClockCorrection>());
  return client.assume(role, key, {});
}

RoleRequest a_role() {
  RoleRequest role;
  role.endpoint = "https://sts.example";
  role.role_arn = "acs:ram::1111111111111111:role/reader";
  return role;
}

TEST(WipedMemory, NoTokenIsLeftOfTheQuestionForARole) {
  const Credentials key = key_with_a_token();
  RoleRequest of_a_pod = a_role();
  of_a_pod.oidc_token = Secret("hush-oidc-" + std::string(3000, 't'));
  const HttpFetch nothing = [](const HttpRequest&, Millis, const std::stop_token&) -> HttpResult {
    return Err(TransportError{Reason::reset, ""});
  };
  std::vector<HttpRequest> sent;
  sent.reserve(2);
  EXPECT_EQ(unwiped_by([&] { EXPECT_FALSE(assume(a_role(), &key, sent, nothing)); }), 0);
  EXPECT_EQ(unwiped_by([&] { EXPECT_FALSE(assume(of_a_pod, nullptr, sent, nothing)); }), 0);
  EXPECT_EQ(sent.size(), 2U);
}

TEST(WipedMemory, TheAnswerWithTheKeyIsOverwritten) {
  const Credentials key = key_with_a_token();
  const HttpFetch granted = [](const HttpRequest&, Millis, const std::stop_token&) -> HttpResult {
    HttpResponse response;
    response.status = 200;
    response.body = R"({"Credentials":{"AccessKeyId":"STS.1","AccessKeySecret":"hush-1","SecurityToken":)"
                    R"("hush-2","Expiration":"2030-01-01T00:00:00Z"}})";
    memory().only = response.body.data();
    return response;
  };
  std::vector<HttpRequest> sent;
  std::optional<Credentials> got;
  EXPECT_EQ(unwiped_by([&] { got = *assume(a_role(), &key, sent, granted); }), 0);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->access_key_secret.reveal(), "hush-1");
}

}  // namespace
}  // namespace sharedrift
