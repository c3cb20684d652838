#include "sim.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

namespace sharedrift::simulator::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(Faults, StrikeWithinTheirScopeOnly) {
  const auto struck = [](const json& scope) {
    Sim sim;
    json spec = {{"kind", "error"}, {"code", "CallInterface"}};
    spec.update(scope);
    sim.fault(spec);
    return sim.list().code() == "CallInterface";
  };
  EXPECT_TRUE(struck(json::object()));
  EXPECT_TRUE(struck({{"image", kImage}, {"key", "ak"}, {"action", "DescribeImageSharePermission"}}));
  EXPECT_FALSE(struck({{"image", "m-other"}}));
  EXPECT_FALSE(struck({{"key", "other"}}));
  EXPECT_FALSE(struck({{"action", "DescribeSelfImages"}}));
}

TEST(Faults, CountDownAndCanBeCleared) {
  Sim sim;
  sim.fault({{"kind", "html"}, {"count", 2}});
  EXPECT_EQ(sim.list().status, 502);
  EXPECT_EQ(sim.list().status, 502);
  EXPECT_EQ(sim.list().status, 200);
  sim.fault({{"kind", "html"}});
  sim.fault({{"kind", "latency"}});
  EXPECT_EQ(sim.control("faults/clear", {{"kind", "html"}}).body["data"]["cleared"], 1);
  EXPECT_EQ(sim.list().status, 200);
  EXPECT_EQ(sim.look("faults").body["data"][0]["hits"], 1);
  EXPECT_EQ(sim.control("faults/clear").body["data"]["cleared"], 1);
}

TEST(Faults, Latency) {
  Sim sim;
  EXPECT_EQ(sim.list().raw.delay, Millis{0});
  sim.fault({{"kind", "latency"}, {"ms", 50}, {"jitter_ms", 10}});
  for (int i = 0; i < 50; ++i) {
    const Millis delay = sim.list().raw.delay;
    EXPECT_GE(delay, Millis{50});
    EXPECT_LE(delay, Millis{60});
  }
}

TEST(Faults, ClockSkewMovesTheWindowAndTheDate) {
  Sim sim;
  sim.fault({{"kind", "clock_skew"}, {"seconds", -1000}});
  const Answered answer = sim.list();
  EXPECT_EQ(answer.code(), "InvalidTimeStamp.Expired");
  EXPECT_EQ(answer.header("Date"), "Wed, 18 Nov 2026 10:50:00 GMT");
  EXPECT_EQ(sim.list({}, {.client_skew = seconds{-1000}}).status, 200);
}

TEST(Faults, GatewayPages) {
  Sim sim;
  sim.fault({{"kind", "html"}, {"count", 1}});
  const Answered html = sim.list();
  EXPECT_EQ(html.status, 502);
  EXPECT_EQ(html.raw.content_type, "text/html");
  EXPECT_THAT(html.text, StartsWith("<html>"));
  sim.fault({{"kind", "empty_body"}, {"count", 1}});
  EXPECT_EQ(sim.list().text, "");
  sim.fault({{"kind", "redirect"}, {"location", "http://127.0.0.1:1/"}, {"count", 1}});
  const Answered redirect = sim.list();
  EXPECT_EQ(redirect.status, 302);
  EXPECT_EQ(redirect.header("Location"), "http://127.0.0.1:1/");
}

TEST(Faults, Throttle) {
  Sim sim;
  sim.fault({{"kind", "throttle"}, {"count", 1}});
  Answered answer = sim.list();
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.code(), "Throttling.User");
  EXPECT_EQ(answer.header("x-acs-retry-after"), "");
  sim.fault({{"kind", "throttle"}, {"code", "Throttling.Api"}, {"status", 406}, {"retry_after_ms", 2500}});
  answer = sim.list();
  EXPECT_EQ(answer.status, 406);
  EXPECT_EQ(answer.code(), "Throttling.Api");
  EXPECT_EQ(answer.header("x-acs-retry-after"), "2500");
  EXPECT_EQ(answer.header("Retry-After"), "3");
}

TEST(Faults, ThrottleByRate) {
  Sim sim;
  sim.fault({{"kind", "throttle"}, {"per_second", 2}});
  EXPECT_EQ(sim.list().status, 200);
  EXPECT_EQ(sim.list().status, 200);
  EXPECT_EQ(sim.list().code(), "Throttling.User");
  sim.pass(seconds{1});
  EXPECT_EQ(sim.list().status, 200);
}

TEST(Faults, ErrorsCarryTheirDocumentedStatus) {
  const auto expect_status = [](const char* code, int status) {
    Sim sim;
    sim.fault({{"kind", "error"}, {"code", code}});
    EXPECT_EQ(sim.list().code(), code);
    EXPECT_EQ(sim.list().status, status) << code;
  };
  expect_status("MissingParameter", 400);
  expect_status("NoPermission", 400);
  expect_status("InvalidParameter", 400);
  expect_status("InvalidParameter.ImageId", 400);
  expect_status("ens.interface.error", 400);
  expect_status("CallInterface", 400);
  expect_status("Throttling", 400);
  expect_status("Throttling.Api", 429);
  expect_status("ServiceUnavailable", 503);
  expect_status("InternalError", 500);
  expect_status("Forbidden.RAM", 403);
  expect_status("InvalidAccessKeyId.NotFound", 404);
  expect_status("AuthRAMAuthFailed", 400);
  expect_status("InvalidSecurityToken.Expired", 403);
  expect_status("SomethingNobodyKnows", 400);
  Sim sim;
  sim.fault({{"kind", "error"}, {"code", "NoPermission"}, {"status", 403}, {"message", "no"}});
  EXPECT_EQ(sim.list().status, 403);
  EXPECT_EQ(sim.list().body["Message"], "no");
}

TEST(Faults, DoNotHideABadSignature) {
  Sim sim;
  sim.fault({{"kind", "throttle"}});
  EXPECT_EQ(sim.list({}, {.secret = "wrong"}).code(), "SignatureDoesNotMatch");
}

TEST(Faults, ServerErrors) {
  Sim sim;
  sim.fault({{"kind", "server_error"}, {"count", 1}});
  EXPECT_EQ(sim.list().code(), "InternalError");
  sim.fault({{"kind", "server_error"}, {"status", 503}});
  EXPECT_EQ(sim.list().code(), "ServiceUnavailable");
  EXPECT_EQ(sim.list().status, 503);
}

TEST(Faults, TotalCountLies) {
  Sim sim;
  sim.fault({{"kind", "total_count"}, {"delta", -2}, {"count", 1}});
  EXPECT_EQ(sim.list().body["TotalCount"], 1);
  sim.fault({{"kind", "total_form"}, {"form", "string"}, {"count", 1}});
  EXPECT_EQ(sim.list().body["TotalCount"], "3");
  sim.fault({{"kind", "total_form"}, {"form", "omit"}, {"count", 1}});
  EXPECT_FALSE(sim.list().body.contains("TotalCount"));
  sim.fault({{"kind", "total_form"}, {"form", "null"}, {"count", 1}});
  EXPECT_TRUE(sim.list().body["TotalCount"].is_null());
  sim.fault({{"kind", "total_form"}, {"form", "float"}, {"count", 1}});
  EXPECT_TRUE(sim.list().body["TotalCount"].is_number_float());
}

TEST(Faults, ShiftingPages) {
  const auto second_page = [](const char* change) {
    Sim sim;
    sim.fault({{"kind", "shift"}, {"change", change}, {"count", 1}});
    EXPECT_THAT(uids(sim.list({{"PageSize", "2"}}).body),
                ElementsAre("1715107400000001", "1715107400000002"));
    return sim.list({{"PageSize", "2"}, {"PageNumber", "2"}}).body;
  };
  const json deleted = second_page("delete");
  EXPECT_EQ(deleted["TotalCount"], 2);
  EXPECT_THAT(uids(deleted), SizeIs(0));  // the third account was skipped
  const json inserted = second_page("insert");
  EXPECT_EQ(inserted["TotalCount"], 4);
  EXPECT_THAT(uids(inserted), ElementsAre("1715107400000002", "1715107400000003"));
  const json swapped = second_page("swap");
  EXPECT_EQ(swapped["TotalCount"], 3);
  EXPECT_THAT(uids(swapped), SizeIs(1));
  EXPECT_THAT(uids(swapped).front(), Not(HasSubstr("0000000")));
}

TEST(Faults, RepeatedPages) {
  Sim sim;
  sim.fault({{"kind", "repeat_page"}});
  const Answered answer = sim.list({{"PageSize", "1"}, {"PageNumber", "3"}});
  EXPECT_EQ(answer.body["PageNumber"], 3);
  EXPECT_THAT(uids(answer.body), ElementsAre("1715107400000001"));
}

TEST(Faults, WrongEcho) {
  Sim sim;
  sim.fault({{"kind", "echo"}, {"image_id", "m-other"}, {"page_number", 7}, {"page_size", 5}});
  const Answered answer = sim.list();
  EXPECT_EQ(answer.body["ImageId"], "m-other");
  EXPECT_EQ(answer.body["PageNumber"], 7);
  EXPECT_EQ(answer.body["PageSize"], 5);
  EXPECT_THAT(uids(answer.body), SizeIs(3));
}

TEST(Faults, SmallerPagesThanAsked) {
  Sim sim;
  sim.fault({{"kind", "small_pages"}, {"size", 2}, {"count", 1}});
  Answered answer = sim.list({{"PageSize", "100"}});
  EXPECT_THAT(uids(answer.body), SizeIs(2));
  EXPECT_EQ(answer.body["PageSize"], 2);
  sim.fault({{"kind", "small_pages"}, {"size", 2}, {"echo", "asked"}});
  answer = sim.list({{"PageSize", "100"}});
  EXPECT_THAT(uids(answer.body), SizeIs(2));
  EXPECT_EQ(answer.body["PageSize"], 100);
}

TEST(Faults, ShapesOfAccounts) {
  const auto accounts = [](const char* shape) {
    Sim sim;
    sim.fault({{"kind", "accounts"}, {"shape", shape}});
    const json body = sim.list().body;
    return body.contains("Accounts") ? body["Accounts"].dump() : "(missing)";
  };
  EXPECT_EQ(accounts("missing"), "(missing)");
  EXPECT_EQ(accounts("null"), "null");
  EXPECT_THAT(accounts("array"), StartsWith(R"([{"AliyunUid":"1715107400000001"})"));
  EXPECT_EQ(accounts("empty_array"), "[]");
  EXPECT_EQ(accounts("empty_object"), "{}");
  EXPECT_EQ(accounts("account_null"), R"({"Account":null})");
  EXPECT_EQ(accounts("account_object"), R"({"Account":{"0":{"AliyunUid":"1"}}})");
  EXPECT_THAT(accounts("text"), StartsWith("\"[{"));
}

TEST(Faults, FormsOfRows) {
  const auto row = [](const char* form) {
    Sim sim;
    sim.fault({{"kind", "rows"}, {"form", form}});
    return sim.list().body["Accounts"]["Account"][0].dump();
  };
  EXPECT_EQ(row("strings"), "\"1715107400000001\"");
  EXPECT_EQ(row("numbers"), "1715107400000001");
  EXPECT_EQ(row("numeric_uid"), R"({"AliyunUid":1715107400000001})");
  EXPECT_EQ(row("aliyun_id"), R"({"AliyunId":"1715107400000001"})");
  EXPECT_EQ(row("numeric_aliyun_id"), R"({"AliyunId":1715107400000001})");
  EXPECT_THAT(row("pseudo_json"), HasSubstr("AliyunId"));
}

TEST(Faults, GarbageRows) {
  for (const char* form :
       {"null", "empty_object", "letters", "negative", "float", "list", "long_id", "blank"}) {
    Sim sim;
    sim.fault({{"kind", "garbage_rows"}, {"form", form}, {"rows", 2}});
    const Answered answer = sim.list();
    EXPECT_FALSE(answer.body.is_discarded()) << form;
    EXPECT_THAT(answer.body["Accounts"]["Account"], SizeIs(5)) << form;
    EXPECT_EQ(answer.body["TotalCount"], 3);
  }
  Sim sim;
  sim.fault({{"kind", "garbage_rows"}, {"mode", "replace"}});
  EXPECT_EQ(sim.list().body["Accounts"]["Account"], json::array({nullptr}));
}

TEST(Faults, DuplicateKeys) {
  for (const char* name : {"TotalCount", "Accounts", "ImageId", "AliyunUid"}) {
    Sim sim;
    sim.fault({{"kind", "duplicate_keys"}, {"name", name}});
    const std::string text = sim.list().text;
    const std::string key = "\"" + std::string(name) + "\":";
    const std::size_t first = text.find(key);
    EXPECT_NE(text.find(key, first + 1), std::string::npos) << text;
  }
}

TEST(Faults, BadText) {
  const auto body = [](const char* form, const char* where) {
    Sim sim;
    sim.fault({{"kind", "bad_text"}, {"form", form}, {"where", where}});
    return sim.list().text;
  };
  EXPECT_THAT(body("invalid_utf8", "request_id"), HasSubstr("\xff"));
  EXPECT_THAT(body("nul", "image"), HasSubstr("0000\\u0000x\""));
  EXPECT_THAT(body("bidi", "account"), HasSubstr("0001\xe2\x80\xae"));
  EXPECT_THAT(body("newline", "request_id"), HasSubstr("\\nlevel=error"));
  EXPECT_THAT(body("escape", "request_id"), HasSubstr("\\u001b[2J"));
}

TEST(Faults, DeepJson) {
  Sim sim;
  sim.fault({{"kind", "deep"}, {"depth", 1000}});
  EXPECT_THAT(sim.list().text, HasSubstr("\"Accounts\":" + std::string(1000, '[') + std::string(1000, ']')));
}

TEST(Faults, LyingEmptyAndHiddenAccounts) {
  Sim sim;
  sim.fault({{"kind", "lying_empty"}, {"count", 1}});
  const Answered empty = sim.list();
  EXPECT_EQ(empty.status, 200);
  EXPECT_EQ(empty.body["TotalCount"], 0);
  sim.fault({{"kind", "hide"}, {"account", "1715107400000002"}, {"count", 1}});
  const Answered hidden = sim.list();
  EXPECT_THAT(uids(hidden.body), ElementsAre("1715107400000001", "1715107400000003"));
  EXPECT_EQ(hidden.body["TotalCount"], 2);
  sim.fault({{"kind", "hide"}, {"account", "1715107400000002"}, {"total", "kept"}});
  EXPECT_EQ(sim.list().body["TotalCount"], 3);
}

TEST(Faults, CodeOnSuccess) {
  Sim sim;
  sim.fault({{"kind", "code_on_success"}, {"count", 1}});
  EXPECT_EQ(sim.list().body["Code"], "NoPermission");
  sim.fault({{"kind", "code_on_success"}, {"code", "500"}});
  EXPECT_EQ(sim.list().body["Code"], 500);
}

TEST(Faults, OddErrorBodies) {
  Sim sim;
  sim.fault({{"kind", "trailing_tab"}, {"count", 1}});
  EXPECT_EQ(sim.list({{"PageSize", "0"}}).code(), "InvalidParameter.PageSize\t");
  sim.fault({{"kind", "error_body"}, {"form", "lower_case"}, {"count", 1}});
  EXPECT_EQ(sim.list({{"PageSize", "0"}}).body["code"], "InvalidParameter.PageSize");
  sim.fault({{"kind", "error_body"}, {"form", "xml"}, {"count", 1}});
  const Answered xml = sim.list({{"PageSize", "0"}});
  EXPECT_EQ(xml.raw.content_type, "text/xml;charset=utf-8");
  EXPECT_THAT(xml.text, HasSubstr("<Code>InvalidParameter.PageSize</Code>"));
  sim.fault({{"kind", "error_body"}, {"form", "http_status"}, {"count", 1}});
  EXPECT_EQ(sim.list({{"PageSize", "0"}}).body["HttpStatus"], 400);
  sim.fault({{"kind", "error_body"}, {"form", "denied_detail"}});
  EXPECT_EQ(sim.list({{"PageSize", "0"}}).body["AccessDeniedDetail"]["AuthAction"],
            "ens:DescribeImageSharePermission");
}

TEST(Faults, SpoiltBytes) {
  Sim sim;
  sim.fault({{"kind", "huge"}, {"mb", 1}, {"count", 1}});
  EXPECT_GT(sim.list().text.size(), std::size_t{1} << 20U);
  sim.fault({{"kind", "gzip"}, {"form", "header_only"}, {"count", 1}});
  const Answered lie = sim.list();
  EXPECT_EQ(lie.header("Content-Encoding"), "gzip");
  EXPECT_EQ(lie.body["TotalCount"], 3);
  sim.fault({{"kind", "gzip"}, {"count", 1}});
  const Answered zipped = sim.list();
  EXPECT_THAT(zipped.text, StartsWith("\x1f\x8b"));
  std::string out(4096, '\0');
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 31), Z_OK);
  std::string in = zipped.text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(json::parse(out)["TotalCount"], 3);
}

TEST(Faults, Deliveries) {
  const auto delivery = [](const json& spec) {
    Sim sim;
    sim.fault(spec);
    return sim.list().raw.delivery;
  };
  const Delivery cut = delivery({{"kind", "cut"}, {"percent", 0}, {"framing", "none"}});
  EXPECT_EQ(cut.how, Delivery::How::cut);
  EXPECT_EQ(cut.framing, Delivery::Framing::none);
  EXPECT_EQ(cut.bytes, 0U);
  const Delivery drip = delivery({{"kind", "drip"}, {"interval_ms", 20}, {"bytes", 3}});
  EXPECT_EQ(drip.how, Delivery::How::drip);
  EXPECT_EQ(drip.interval, Millis{20});
  EXPECT_EQ(drip.bytes, 3U);
  EXPECT_EQ(delivery({{"kind", "reset"}}).how, Delivery::How::reset);
  EXPECT_EQ(delivery({{"kind", "endless"}}).framing, Delivery::Framing::chunked);
}

TEST(Faults, ReachTheMetadataServiceByName) {
  Sim sim;
  sim.fault({{"kind", "html"}, {"status", 503}, {"action", "CredentialsUri"}});
  EXPECT_EQ(sim.send(Sim::bare("GET", "/credentials")).status, 503);
  EXPECT_EQ(sim.list().status, 200);
}

}  // namespace
}  // namespace sharedrift::simulator::testing
