#include "web/image_page.hpp"

#include "web_bench.hpp"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sharedrift {
namespace {

using testing::a_drift;
using testing::a_view;
using testing::account_number;
using ::testing::HasSubstr;
using testing::kNow;
using ::testing::Not;

std::string page(const ImageView& view, std::vector<Event> events = {}, const AccountNames& names = {},
                 Endpoints endpoints = {}) {
  return image_page({view, names, kNow, std::move(endpoints), std::move(events)});
}

std::shared_ptr<ImageView> with_policy(const std::shared_ptr<ImageView>& view,
                                       const std::function<void(ImagePolicy&)>& change) {
  auto policy = std::make_shared<ImagePolicy>(*view->policy);
  change(*policy);
  view->policy = policy;
  return view;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++n;
  return n;
}

TEST(ImagePage, TellsWhoHasItAndSinceWhenAndByWhatRight) {
  const auto view = with_policy(a_view("m-1"), [](ImagePolicy& policy) {
    policy.name = "edge-base";
    policy.required = {account_number(2), account_number(4)};
    policy.exceptions = {{account_number(3), kNow + Millis{86'400'000}, "jane", "SEC-1", "pilot <b>"}};
  });
  view->drifts = {a_drift(1, DriftKind::unexpected, kNow - Millis{3 * 3'600'000}),
                  a_drift(4, DriftKind::missing, kNow)};
  view->sightings = {account_number(1), account_number(2), account_number(3)};
  const std::string html = page(*view, {}, {{account_number(1), "partner-north"}});
  EXPECT_THAT(html, HasSubstr("<title>edge-base: Unexpected - Share drift</title>"));
  EXPECT_THAT(html,
              HasSubstr("<bdi>partner-north</bdi><code>1700000000000001</code></td><td>since 2026-11-18 "
                        "08:07 UTC, <time datetime=\"2026-11-18T08:07:40.000Z\""));
  EXPECT_THAT(html, HasSubstr("<td class=\"kind\">required</td>"));
  EXPECT_THAT(html, HasSubstr("until 2026-11-19 11:07 UTC: <bdi>pilot &lt;b&gt;</bdi> (<bdi>jane</bdi>"));
  EXPECT_EQ(count(html, "1700000000000001</code></td>"), 1U) << "drift is not listed again below";
}

TEST(ImagePage, HasTheCallsOfPlanToCopyAndTheRunbookWithTheIdFilledIn) {
  const auto view = a_view("m-1");
  view->drifts = {a_drift(1, DriftKind::unexpected, kNow), a_drift(2, DriftKind::missing, kNow)};
  const auto shown = [&view](const std::string& endpoint) {
    return std::regex_replace(page(*view, {}, {}, {{"default", endpoint}}), std::regex("</?span>"), "");
  };
  const std::string html = shown("https://ens.ap-southeast-1.aliyuncs.com");
  const std::string call =
      "<code>aliyun ens ModifyImageSharePermission --ImageId m-1 --endpoint ens.ap-southeast-1.aliyuncs.com ";
  EXPECT_THAT(html, HasSubstr(call + "--RemoveAccounts 1700000000000001</code>"));
  EXPECT_THAT(html, HasSubstr(call + "--AddAccounts 1700000000000002</code>"));
  EXPECT_THAT(shown("http://127.0.0.1:8080"),
              HasSubstr(" --endpoint 127.0.0.1:8080 --insecure --AddAccounts "));
  EXPECT_THAT(html, HasSubstr("<h3>Runbook ShareDriftUnexpectedAccount</h3>"));
  EXPECT_THAT(html, HasSubstr("share-drift-exporter check --image m-1 "));
  EXPECT_THAT(html, HasSubstr("share-drift-exporter history m-1 "));
}

TEST(ImagePage, TheRunbookIsThatOfTheAlertThatSpeaks) {
  std::vector<ViewPtr> views;
  for (int i = 0; i < 9; ++i) {
    const auto view = with_policy(a_view("m-" + std::to_string(i)), [](ImagePolicy& policy) {
      policy.profile = "default";
      policy.interval = Millis{60'000};
    });
    view->state = ImageState::unreachable;
    view->listing_complete = false;
    view->last_complete = kNow - Millis{i < 5 ? 121'000 : 119'000};
    views.push_back(view);
  }
  EXPECT_TRUE(profile_fails(views, "default", kNow)) << "five of nine";
  EXPECT_FALSE(profile_fails(views, "default", kNow - Millis{2'000})) << "none for so long";
  EXPECT_FALSE(profile_fails(views, "other", kNow));
  views.push_back(views.back());
  EXPECT_FALSE(profile_fails(views, "default", kNow)) << "half of them";
  const auto of = [&views](bool fails) {
    return image_page({*views[0], {}, kNow, {}, std::vector<Event>{}, fails});
  };
  EXPECT_THAT(of(true), HasSubstr("<h3>Runbook ShareDriftApiFailing</h3>"));
  EXPECT_THAT(of(false), HasSubstr("<h3>Runbook ShareDriftListingStale</h3>"));
}

TEST(ImagePage, OfAnImageThatIsNotWatchedAnyMoreTellsWhatWasOpen) {
  const auto view = a_view("m-1");
  view->unwatched_since = kNow - Millis{600'000};
  view->drifts = {a_drift(1, DriftKind::unexpected, kNow - Millis{3'600'000})};
  const std::string html = page(*view);
  EXPECT_THAT(html, HasSubstr("not watched here for 10 min; its drift was open then"));
  EXPECT_THAT(html, HasSubstr("<h3>Runbook ShareDriftUnwatchedWithDrift</h3>"));
  EXPECT_THAT(html, HasSubstr("<dt>Not watched since</dt>"));
  EXPECT_THAT(html, HasSubstr("--RemoveAccounts"));
  for (const char* claim : {"<dt>State</dt>", "<dt>Shared with</dt>", "<dt>Allowed</dt>"})
    EXPECT_THAT(html, Not(HasSubstr(claim)));
}

TEST(ImagePage, TellsAnIdOnceWhereItIsTheName) {
  const auto id = std::string("m-1");
  const auto facts = [&id](const std::string& html) { return count(html, "<code>" + id + "</code></dd>"); };
  EXPECT_EQ(facts(page(*a_view(id))), 0U) << "it is the heading";
  const auto named = with_policy(a_view(id), [](ImagePolicy& policy) { policy.name = "edge"; });
  EXPECT_EQ(facts(page(*named)), 1U);
}

TEST(ImagePage, EveryTroubleHasARunbookAndNoTroubleHasNone) {
  const auto runbook = [](ImageState state) {
    const auto view = a_view("m-1");
    view->state = state;
    view->listing_complete = false;
    const std::string html = page(*view);
    const std::size_t at = html.find("<h3>Runbook ");
    return at == std::string::npos ? "" : html.substr(at + 12, html.find("</h3>", at) - at - 12);
  };
  for (const ImageState state : kAllImageStates)
    EXPECT_THAT(runbook(state), HasSubstr("ShareDrift")) << to_string(state);
  EXPECT_EQ(runbook(ImageState::forbidden), "ShareDriftPermissionLost");
  EXPECT_EQ(runbook(ImageState::gone), "ShareDriftImageGone");
  EXPECT_THAT(page(*a_view("m-1")), Not(HasSubstr("Runbook")));
  const auto canary = with_policy(a_view("m-1"), [](ImagePolicy& policy) { policy.canary = true; });
  EXPECT_THAT(page(*canary), HasSubstr("Runbook ShareDriftCanaryDriftMissing"));
  canary->drifts = {a_drift(1, DriftKind::unexpected, kNow)};
  EXPECT_THAT(page(*canary), Not(HasSubstr("Calls that would"))) << "nobody silences a canary";
}

TEST(ImagePage, SaysWhatElseWouldEndEachKindOfDrift) {
  const auto view = a_view("m-1");
  view->drifts = {a_drift(2, DriftKind::missing, kNow)};
  EXPECT_THAT(page(*view), HasSubstr("take it out of <code>required</code> instead."));
  EXPECT_THAT(page(*view), Not(HasSubstr("allow the account")));
  EXPECT_THAT(page(*view),
              HasSubstr("<li>Many images at once: see ShareDriftMassChangeHeld first.</li>\n</ul>"));
  view->drifts = {a_drift(1, DriftKind::unexpected, kNow)};
  EXPECT_THAT(page(*view), HasSubstr("allow the account instead."));
  EXPECT_THAT(page(*view), Not(HasSubstr("take it out of")));
}

TEST(ImagePage, CountsAndHeadingsReadAsEnglish) {
  const auto view = a_view("m-1");
  view->shared_accounts = 1;
  view->allowed_accounts = 2;
  view->state = ImageState::forbidden;
  view->listing_complete = false;
  const std::string html = page(*view);
  EXPECT_THAT(html, HasSubstr(">1 account<"));
  EXPECT_THAT(html, HasSubstr(">2 accounts<"));
  EXPECT_THAT(html, HasSubstr("<h4>What it means</h4>"));
  EXPECT_THAT(html, Not(HasSubstr("## ")));
}

TEST(ImagePage, LongListsAreFoldedAndWhole) {
  const auto view = a_view("m-1");
  for (std::uint64_t i = 0; i < 1000; ++i)
    view->drifts.push_back(a_drift(i, DriftKind::unexpected, kNow));
  const std::string html = page(*view);
  EXPECT_EQ(count(html, "<tr class=\"unexpected\">"), 1000U);
  EXPECT_THAT(html, HasSubstr("<summary>980 more</summary>"));
}

TEST(ImagePage, WhatIsNotKnownIsNotCalledNone) {
  const auto view = a_view("m-1");
  view->listing_complete = false;
  view->state = ImageState::never_read;
  view->last_complete.reset();
  view->shared_accounts.reset();
  EXPECT_THAT(page(*view), HasSubstr("None is known."));
  EXPECT_THAT(page(*view), HasSubstr("<dt>Shared with</dt><dd>not known</dd>"));
  const auto empty = a_view("m-1");
  empty->shared_accounts = 0;
  EXPECT_THAT(page(*empty), HasSubstr("It is shared with nobody."));
}

TEST(ImagePage, HistoryIsNewestFirst) {
  const std::string html = page(*a_view("m-1"), {{EventType::canary_lost, kNow - Millis{60'000}, "m-1", {}},
                                                 {EventType::canary_restored, kNow, "m-1", {}}});
  EXPECT_LT(html.find(">canary_restored<"), html.find(">canary_lost<"));
  EXPECT_THAT(html, HasSubstr("<tr class=\"error\"><td>2026-11-18 11:06 UTC</td>"));
  EXPECT_THAT(page(*a_view("m-1")), HasSubstr("No event is recorded."));
}

TEST(ImagePage, HistoryTellsApartWhatIsNotOfTheImageAlone) {
  const std::string html =
      page(*a_view("m-1"), {{EventType::profile_blind, kNow, "", {{"profile", std::string{"de<b>"}}}},
                            {EventType::config_reloaded, kNow, "", {}},
                            {EventType::canary_lost, kNow, "m-1", {}}});
  EXPECT_THAT(html, HasSubstr(">profile_blind <i>of profile <bdi>de&lt;b&gt;</bdi></i></td>"));
  EXPECT_THAT(html, HasSubstr(">config_reloaded <i>of the exporter</i></td>"));
  EXPECT_THAT(html, HasSubstr(">canary_lost</td>"));
}

TEST(ImagePage, NamesCannotBecomeMarkup) {
  const std::string evil = "</bdi><script>alert(1)</script><img src=x onerror='x'>\"&\xe2\x80\xae";
  const auto view = with_policy(a_view("m-1"), [&evil](ImagePolicy& policy) {
    for (std::string* text : {&policy.name, &policy.team, &policy.severity, &policy.profile})
      *text = evil;
    policy.exceptions = {{account_number(2), kNow + Millis{1}, evil, evil, evil}};
  });
  view->drifts = {a_drift(1, DriftKind::unexpected, kNow)};
  view->sightings = {account_number(2)};
  view->last_failure = std::make_shared<const Failure>(Failure{Reason::protocol, evil, evil, 200, evil});
  const std::string html = page(*view, {{EventType::listing_failed, kNow, "m-1", {{"detail", evil}}}},
                                {{account_number(1), evil}, {account_number(2), evil}});
  EXPECT_EQ(count(html, "<script"), 0U);
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("\xe2\x80\xae")));
}

}  // namespace
}  // namespace sharedrift
