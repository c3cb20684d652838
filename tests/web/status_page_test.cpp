#include "web/status_page.hpp"

#include "web_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::a_drift;
using testing::a_view;
using ::testing::HasSubstr;
using ::testing::Not;

const WallTime kNow{Millis{1'795'000'060'000}};

std::string page(std::vector<ViewPtr> views, AccountNames names = {}, const OwnHealth& health = {}) {
  Fleet fleet;
  fleet.views = std::move(views);
  fleet.account_names = std::make_shared<const AccountNames>(std::move(names));
  AnswerWriter out(false);
  write_status_page(out, fleet, {kNow, "/metrics", health});
  return testing::joined(out.finish());
}

std::shared_ptr<ImageView> named(const std::string& id, const std::string& name) {
  auto view = a_view(id);
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->name = name;
  view->policy = policy;
  return view;
}
std::shared_ptr<ImageView> unexpected(const std::string& id) {
  auto view = a_view(id);
  view->drifts = {a_drift(1, DriftKind::unexpected, kNow - Millis{3 * 3'600'000})};
  return view;
}
std::shared_ptr<ImageView> blind(const std::string& id) {
  auto view = a_view(id);
  view->listing_complete = false;
  view->state = ImageState::unreachable;
  view->last_failure =
      std::make_shared<const Failure>(Failure{Reason::timeout, "no answer in 10s", "", 0, ""});
  return view;
}
std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++n;
  return n;
}

TEST(StatusPage, TheSummaryIsTheVerdictOnAll) {
  const std::string all = page({a_view("m-1"), blind("m-2"), unexpected("m-3"), unexpected("m-4")});
  EXPECT_THAT(all, HasSubstr("aria-live=\"polite\">2 images are shared with unexpected accounts</h2>"));
  EXPECT_THAT(all, HasSubstr("<p id=\"subline\">1 cannot be judged · 1 of 4 in sync</p>"));
  EXPECT_THAT(all, HasSubstr("<b>2</b> Unexpected</span>"));
  EXPECT_THAT(page({}), HasSubstr(">No image is watched here</h2>"));
}

TEST(StatusPage, TheWorstComesFirst) {
  const std::string html = page({a_view("m-1"), blind("m-2"), unexpected("m-3")});
  EXPECT_LT(html.find("data-id=\"m-3\""), html.find("data-id=\"m-2\""));
  EXPECT_LT(html.find("data-id=\"m-2\""), html.find("data-id=\"m-1\""));
}

TEST(StatusPage, AmongTheWorstTheMostSevereAndThenTheOldestComesFirst) {
  const auto leak = [](const std::string& id, const std::string& severity, int hours) {
    auto view = unexpected(id);
    auto policy = std::make_shared<ImagePolicy>(*view->policy);
    policy->severity = severity;
    view->policy = policy;
    view->drifts[0].since = kNow - std::chrono::hours{hours};
    return view;
  };
  const std::string html = page({leak("m-1", "info", 9), leak("m-2", "page", 1), leak("m-3", "ticket", 9),
                                 leak("m-4", "", 5), a_view("m-5")});
  std::size_t before = 0;
  for (const char* id : {"m-4", "m-2", "m-3", "m-1", "m-5"}) {
    const std::size_t at = html.find("data-id=\"" + std::string(id));
    EXPECT_GT(at, before) << id;
    before = at;
  }
}

TEST(StatusPage, WhatThereIsHasAPartOfTheBarThatCanBeSeen) {
  std::vector<ViewPtr> many(999, a_view("m-1"));
  many.push_back(unexpected("m-2"));
  const std::string html = page(many);
  EXPECT_THAT(html, HasSubstr("<rect data-verdict=\"unexpected\" x=\"0\" width=\"28\""));
  EXPECT_THAT(html, HasSubstr("<rect data-verdict=\"missing\" x=\"28\" width=\"0\""));
}

TEST(StatusPage, TheExportersOwnTroubleIsTold) {
  OwnHealth health{"1.2.3", "abc", 0, 1, false, kNow, 0, true};
  EXPECT_THAT(page({}, {}, health),
              HasSubstr("<p>share-drift-exporter 1.2.3 (abc), configuration of 2026-11-18"));
  EXPECT_THAT(page({}, {}, health), Not(HasSubstr("trouble")));
  health.config_refused = true;
  health.clears_held = 7;
  health.state_ok = false;
  health.shard_count = 3;
  const std::string html = page({}, {}, health);
  EXPECT_EQ(count(html, "<p class=\"trouble\">"), 3U);
  EXPECT_THAT(html, HasSubstr("judged by the one of 2026-11-18 11:07 UTC"));
  EXPECT_THAT(html, HasSubstr("7 disappearances are held"));
  EXPECT_THAT(html, HasSubstr("shard 0 of 3"));
}

TEST(StatusPage, TellsWhatTheAccountOwnsAndNobodyWatches) {
  OwnHealth health;
  InventoryView view{12, 2, 0, {{*ImageId::parse("m-new"), "<b>"}, {*ImageId::parse("m-old"), ""}}};
  view.last_complete = kNow - std::chrono::minutes{3};
  health.inventories["default"] = view;
  const std::string html = page({}, {}, health);
  EXPECT_THAT(
      html, HasSubstr("Nobody watches 2 images that the account of profile default owns: <code>m-new</code> "
                      "<bdi>&lt;b&gt;</bdi>, <code>m-old</code>."));
  EXPECT_THAT(html, HasSubstr("owned 12, unwatched 2, ignored 0; last proof"));
  EXPECT_THAT(html, HasSubstr("A rule under <code>discover</code> watches all."));
  view.left_out = 1;
  health.inventories["default"] = view;
  const std::string full = page({}, {}, health);
  EXPECT_THAT(full, HasSubstr("<code>m-old</code>. For 1 of them there is no room."));
  EXPECT_THAT(full, Not(HasSubstr("watches all"))) << "it does not";
  view.failure = make_failure(Reason::forbidden, "grant it ens:DescribeSelfImages");
  view.unwatched = std::nullopt;
  view.last_complete = std::nullopt;
  health.inventories["default"] = view;
  const std::string blind = page({}, {}, health);
  EXPECT_THAT(blind, HasSubstr("a new one may not be seen: grant it ens:DescribeSelfImages."));
  EXPECT_THAT(blind, HasSubstr("unwatched not known, ignored 0; last proof never"));
  EXPECT_THAT(page({a_view("m-1")}, {}, health), HasSubstr("<title>The image is in sync - Share drift"));
  health.proofs_last["default"] = std::chrono::minutes{15};
  EXPECT_THAT(page({a_view("m-1")}, {}, health),
              HasSubstr("<title>It is not known which images there are - Share drift"));
  health.inventories["default"].last_complete = kNow - std::chrono::minutes{15};
  EXPECT_THAT(page({a_view("m-1")}, {}, health), HasSubstr("<title>The image is in sync"));
  health.inventories["default"].last_complete = kNow - std::chrono::minutes{16};
  EXPECT_THAT(page({a_view("m-1")}, {}, health), HasSubstr("<title>It is not known which images"));
}

TEST(StatusPage, DriftIsToldWithNameAccountAndTime) {
  const std::string html = page({unexpected("m-1")}, {{testing::account_number(1), "partner-north"}});
  EXPECT_THAT(html, HasSubstr("<bdi>partner-north</bdi><code>1700000000000001</code>"));
  EXPECT_THAT(html, HasSubstr("since 2026-11-18 08:07 UTC, <time datetime=\"2026-11-18T08:07:40.000Z\""));
  EXPECT_THAT(html, HasSubstr(">3 h</time>"));
  EXPECT_THAT(page({unexpected("m-1")}), HasSubstr("not in the address book"));
}

TEST(StatusPage, WhatIsNotKnownIsNotCalledNone) {
  const auto unread = a_view("m-1");
  unread->state = ImageState::never_read;
  unread->listing_complete = false;
  unread->last_complete.reset();
  unread->shared_accounts.reset();
  const std::string html = page({unread});
  EXPECT_EQ(count(html, ">not known</span>"), 2U) << "drift and shared";
  EXPECT_THAT(html, HasSubstr(">never</span>"));
  EXPECT_THAT(html, HasSubstr("not read yet"));
  EXPECT_THAT(page({blind("m-1")}), HasSubstr("<b>timeout</b><bdi>no answer in 10s</bdi>"));
}

TEST(StatusPage, EachRowLeadsToThePageOfItsImage) {
  EXPECT_THAT(page({a_view("m-1")}), HasSubstr("<a href=\"images/m-1\">"));
}

TEST(StatusPage, ManyAccountsAreFoldedAndThenCounted) {
  const auto view = a_view("m-1");
  for (std::uint64_t i = 0; i < 1000; ++i)
    view->drifts.push_back(a_drift(i, DriftKind::unexpected, kNow));
  const std::string html = page({view});
  EXPECT_EQ(count(html, "<li class=\"unexpected\">"), 20U);
  EXPECT_THAT(html, HasSubstr("<summary>995 more</summary>")) << "five are shown";
  EXPECT_THAT(html, HasSubstr("<a href=\"images/m-1\">and 980 more</a>"));
}

TEST(StatusPage, NamesCannotBecomeMarkup) {
  const std::string evil = "</bdi><script>alert(1)</script><img src=x onerror='x'>\"&\xe2\x80\xae";
  const auto view = named("m-1", evil);
  view->drifts = {a_drift(1, DriftKind::unexpected, kNow)};
  view->last_failure = std::make_shared<const Failure>(Failure{Reason::protocol, evil, evil, 200, evil});
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  policy->team = evil;
  policy->severity = evil;
  view->policy = policy;
  const std::string html = page({view}, {{testing::account_number(1), evil}});
  EXPECT_EQ(count(html, "<script"), 1U) << "ours";
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_THAT(html, HasSubstr("&lt;/bdi&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x "
                              "onerror=&#39;x&#39;&gt;&quot;&amp;"));
}

}  // namespace
}  // namespace sharedrift
