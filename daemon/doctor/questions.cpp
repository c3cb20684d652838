#include "doctor/questions.hpp"

#include "aliyun/answer.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace sharedrift {

namespace {

using Kind = JsonValue::Kind;

constexpr const char* kListing = "DescribeImageSharePermission";
constexpr const char* kNobodyShares =
    "no image that was asked about is shared; name one that is with --image";

using Answer = DoctorAnswer;
using Facts = DoctorFacts;

DoctorReply ask_listing(DoctorSession& session, const std::string& image, std::int64_t size,
                        const std::string& filter = {}) {
  DoctorSession::Parameters parameters;
  if (!filter.empty()) parameters.emplace_back("AliyunId", filter);
  parameters.emplace_back("ImageId", image);
  parameters.emplace_back("PageNumber", "1");
  parameters.emplace_back("PageSize", std::to_string(size));
  return session.ask_ens(kListing, parameters);
}

std::size_t rows_of(const JsonValue& root) {
  const auto page = decode_page(root);
  return page ? page->accounts.size() + page->unusable_rows : 0;
}

/// Another failure than a refusal for want of rights says nothing of the right.
Answer right(const DoctorReply& reply, const std::string& consequence) {
  if (reply.good()) return {Standing::as_assumed, "granted"};
  if (reply.reason() != Reason::forbidden) return not_asked(reply);
  return {Standing::blind, reply.why(), consequence, reply.cure()};
}

constexpr const char* kNoInventory =
    "an image whose list is empty cannot be told from one that is not there, and no new image is seen";
constexpr const char* kNoListing = "no share of any image is seen";

Answer ask_right_to_inventory(DoctorSession& /*session*/, Facts& facts) {
  return right(facts.inventory, kNoInventory);
}

/// Asks image by image until one came that is shared, and one that is not: their lists may differ in form.
Answer ask_right_to_listing(DoctorSession& session, Facts& facts) {
  constexpr std::size_t kMost = 5;
  if (facts.images.empty() && !facts.inventory.good()) return not_asked(facts.inventory);
  if (facts.images.empty())
    return {Standing::not_seen, "not asked: the account owns no image, and none is configured"};
  for (std::size_t i = 0; i < std::min(kMost, facts.images.size()); ++i) {
    DoctorReply reply = ask_listing(session, facts.images.at(i), kDoctorPage);
    if (!reply.good() && i > 0) {
      facts.failed = std::move(reply);
      break;
    }
    const bool shared = reply.good() && rows_of(reply.root()) > 0;
    if (reply.good() && !shared) facts.empty = reply;
    if (i == 0 || (shared && rows_of(facts.listing.root()) == 0)) {
      facts.image = facts.images.at(i);
      facts.listing = std::move(reply);
    }
    if (!facts.listing.good() || (facts.empty.good() && rows_of(facts.listing.root()) > 0)) break;
  }
  return right(facts.listing, kNoListing);
}

/// What makes a call fail beside the rights: each cause once, for all calls that it struck.
Answer ask_answers(DoctorSession& /*session*/, Facts& facts) {
  const DoctorReply& listing = facts.failed.came() || facts.failed.broken ? facts.failed : facts.listing;
  const auto strikes = [](const DoctorReply& reply) {
    return reply.broken || (reply.error && reply.reason() != Reason::forbidden);
  };
  const bool inventory = strikes(facts.inventory);
  if (!inventory && !strikes(listing)) {
    const bool all = facts.inventory.good() && facts.listing.good();
    return {all ? Standing::as_assumed : Standing::not_seen, all ? "both calls are answered" : "not asked"};
  }
  const DoctorReply& first = inventory ? facts.inventory : listing;
  std::string seen = inventory ? "DescribeSelfImages" : kListing;
  const bool same = inventory && strikes(listing) && listing.brief() == first.brief();
  if (same) seen.append(" and ").append(kListing);
  seen.append(": ").append(first.why());
  if (inventory && strikes(listing) && !same) seen.append("; ").append(kListing).append(": " + listing.why());
  return {Standing::blind, seen, strikes(listing) ? kNoListing : kNoInventory, first.cure()};
}

Answer ask_total_count(DoctorSession& /*session*/, Facts& facts) {
  const JsonValue& root = facts.listing.root();
  const JsonValue* told = root.find("TotalCount");
  const std::size_t rows = rows_of(root);
  const auto total = number_in(root, "TotalCount");
  constexpr const char* kIncomplete =
      "every list is incomplete: drift is raised, but nothing clears and nothing is called in sync";
  if (!total) {
    facts.behaviour["total_count"] = "omitted";
    return {Standing::blind, told == nullptr ? "there is none" : "it is " + std::string{type_of(told)},
            kIncomplete, kReportIt};
  }
  const bool whole = rows < static_cast<std::size_t>(kDoctorPage);
  const bool equal = *total == static_cast<std::int64_t>(rows);
  const std::string seen = "it says " + std::to_string(*total) + ", and " + counted(rows, "row") + " came";
  if (whole && !equal) {
    facts.behaviour["total_count"] = *total > static_cast<std::int64_t>(rows) ? "more" : "less";
    return {Standing::blind, seen, kIncomplete,
            "run doctor again with --image of another image, and report it"};
  }
  const bool text = type_of(told) == "text";
  facts.behaviour["total_count"] = text ? "text" : "exact";
  if (text) return {Standing::differs, seen + ", as text", "none: a number in quotes is read as a number"};
  return {whole ? Standing::as_assumed : Standing::not_seen, seen};
}

Answer ask_page_size(DoctorSession& session, Facts& facts) {
  const auto echoed = number_in(facts.listing.root(), "PageSize");
  if (echoed && *echoed != kDoctorPage) {
    return {Standing::blind, "100 rows were asked for, and PageSize says " + std::to_string(*echoed),
            "no list is complete: the pages are not those that were asked for", kReportIt};
  }
  const DoctorReply reply = ask_listing(session, facts.image, kDoctorPage + 1);
  if (reply.broken) return not_asked(reply);
  if (reply.error) {
    facts.behaviour["large_page"] = "refused";
    return {Standing::as_assumed, "refused with " + reply.error->failure.code};
  }
  const auto used = number_in(reply.root(), "PageSize").value_or(kDoctorPage + 1);
  facts.behaviour["large_page"] = used <= kDoctorPage ? "cut" : "taken";
  return {Standing::differs, "not refused; PageSize says " + std::to_string(used),
          "none: the exporter never asks for more than 100"};
}

Answer ask_unknown_image(DoctorSession& session, Facts& facts) {
  facts.unknown = ask_listing(session, "m-0doctor0asks0for0nobody00", kDoctorPage);
  const DoctorReply& reply = facts.unknown;
  if (reply.broken) return not_asked(reply);
  if (reply.good() && rows_of(reply.root()) > 0) {
    return {Standing::blind,
            "an image that nobody has is shared with " + counted(rows_of(reply.root()), "account"),
            "nothing that is listed can be believed", kReportIt};
  }
  if (reply.good()) {
    facts.behaviour["unknown_image"] = "empty";
    return {Standing::as_assumed, "an empty list, so that emptiness alone proves nothing"};
  }
  const Failure& failure = reply.error->failure;
  facts.behaviour["unknown_image"] = failure.code;
  std::string consequence = "none: the image is looked up in the inventory, and is gone or invalid";
  if (failure.reason != Reason::invalid_image) {
    consequence = "an image that is not there shows as ";
    consequence.append(to_string(state_of_failure(failure.reason, false)))
        .append(" with this code, until the inventory proves that it is gone");
  }
  return {Standing::differs, "refused: " + reply.why(), consequence};
}

/// How a list without rows is written; as ens-simulator's `empty_list` names it.
std::string empty_form(const JsonValue& root) {
  const JsonValue* accounts = root.find("Accounts");
  if (accounts == nullptr) return "missing";
  if (accounts->is(Kind::null)) return "null";
  if (accounts->is(Kind::array)) return "empty_array";
  if (!accounts->is(Kind::object)) return "text";
  const JsonValue* rows = accounts->find("Account");
  if (rows == nullptr) return "empty_object";
  return rows->is(Kind::null) ? "account_null" : "usual";
}

Answer ask_empty_list(DoctorSession& /*session*/, Facts& facts) {
  const DoctorReply* empty = nullptr;
  for (const DoctorReply* reply : {&facts.unknown, &facts.listing, &facts.empty}) {
    if (reply->good() && rows_of(reply->root()) == 0) empty = reply;
  }
  if (empty == nullptr) return {Standing::not_seen, "no list that came was empty"};
  const std::string form = empty_form(empty->root());
  facts.behaviour["empty_list"] = form;
  if (form == "usual") return {Standing::as_assumed, R"("Accounts":{"Account":[]})"};
  if (decode_page(empty->root()))
    return {Standing::differs, "its form is " + form, "none: it is read as empty"};
  return {Standing::blind, "its form is " + form,
          "an image that nobody shares is incomplete and never in sync", kReportIt};
}

/// How a row is written; as ens-simulator's `row_form` names it.
std::string row_form(const JsonValue& row) {
  if (row.is(Kind::string)) return "strings";
  if (row.is(Kind::number)) return "numbers";
  for (const auto& [name, text, number] : {std::array{"AliyunUid", "usual", "numeric_uid"},
                                           std::array{"AliyunId", "aliyun_id", "numeric_aliyun_id"}}) {
    const JsonValue* id = row.find(name);
    if (id != nullptr) return id->is(Kind::number) ? number : text;
  }
  return "unknown";
}

Answer ask_account_form(DoctorSession& /*session*/, Facts& facts) {
  const JsonValue* accounts = facts.listing.root().find("Accounts");
  const JsonValue* rows =
      accounts == nullptr || accounts->is(Kind::array) ? accounts : accounts->find("Account");
  if (rows == nullptr || rows->items.empty()) return {Standing::not_seen, kNobodyShares};
  const std::string form = row_form(rows->items.front());
  const auto page = decode_page(facts.listing.root());
  if (!page || page->unusable_rows > 0) {
    return {Standing::blind, "rows came that hold no account id in a known form (" + form + ")",
            "every list is incomplete", kReportIt};
  }
  facts.behaviour["row_form"] = form;
  if (form == "usual") return {Standing::as_assumed, R"({"AliyunUid":"digits"})"};
  return {Standing::differs, "its form is " + form, "none: this form is read as well"};
}

Answer ask_filter(DoctorSession& session, Facts& facts) {
  const std::size_t rows = rows_of(facts.listing.root());
  if (rows == 0) return {Standing::not_seen, kNobodyShares};
  const DoctorReply reply = ask_listing(session, facts.image, kDoctorPage, "1000000000000001");
  if (reply.broken) return not_asked(reply);
  const bool filters = !reply.good() || rows_of(reply.root()) < rows;
  facts.behaviour["filter_by_aliyun_id"] = filters;
  if (!filters) return {Standing::as_assumed, "it is ignored"};
  return {Standing::differs, reply.good() ? "it filters" : "it is refused: " + reply.why(),
          "none: the exporter never sends it"};
}

Answer ask_limit_headers(DoctorSession& session, Facts& facts) {
  std::string names;
  for (const auto& [name, value] : session.limit_headers())
    names.append(names.empty() ? "" : ", ").append(name).append(" (").append(value).append(")");
  if (names.empty() && !facts.inventory.good() && !facts.listing.good()) return not_asked(facts.inventory);
  facts.behaviour["rate_limit_headers"] = !names.empty();
  if (names.empty()) return {Standing::as_assumed, "none came with answers that were not throttled"};
  return {Standing::differs, names,
          "none: they are not read; the pace is requests_per_second, less after throttling",
          "compare requests_per_second with what they say"};
}

Answer ask_nonce(DoctorSession& session, Facts& facts) {
  const DoctorReply reply = session.replay();
  const bool checked = reply.error && reply.error->failure.code == "SignatureNonceUsed";
  if (!reply.good() && !checked) return not_asked(reply);
  facts.behaviour["nonce_checked"] = checked;
  if (checked) return {Standing::as_assumed, "a request that was sent twice is refused"};
  return {Standing::differs, "a request that was sent twice is answered twice",
          "none: each request of the exporter has a new one"};
}

constexpr std::array kQuestions{
    DoctorQuestion{"right ens:DescribeSelfImages", "the key may list the account's images",
                   ask_right_to_inventory},
    DoctorQuestion{"right ens:DescribeImageSharePermission", "the key may list shares", ask_right_to_listing},
    DoctorQuestion{"answers", "both calls are answered", ask_answers},
    DoctorQuestion{"TotalCount", "it equals the number of rows", ask_total_count, &Facts::listing},
    DoctorQuestion{"PageSize above 100", "it is refused", ask_page_size, &Facts::listing},
    DoctorQuestion{"unknown ImageId", "the answer is an empty list", ask_unknown_image, &Facts::listing},
    DoctorQuestion{"empty list", R"(it is "Accounts":{"Account":[]})", ask_empty_list},
    DoctorQuestion{"account id", "a row is an object with AliyunUid as text", ask_account_form,
                   &Facts::listing},
    DoctorQuestion{"parameter AliyunId", "it is ignored", ask_filter, &Facts::listing},
    DoctorQuestion{"throttling headers", "they come with refusals only", ask_limit_headers},
    DoctorQuestion{"X-Acs-Signature-Nonce", "one that was used is refused", ask_nonce, &Facts::inventory},
};

}  // namespace

DoctorAnswer not_asked(const DoctorReply& before) {
  return {Standing::not_seen, before.came() || before.broken ? "not asked: " + before.brief() : "not asked"};
}

std::string counted(std::size_t count, std::string_view what) {
  std::string words = std::to_string(count);
  words.append(" ").append(what);
  return count == 1 ? words : words + "s";
}

std::optional<std::int64_t> number_in(const JsonValue& root, std::string_view name) {
  const JsonValue* value = root.find(name);
  return value == nullptr ? std::nullopt : value->integer();
}

std::string_view type_of(const JsonValue* value) {
  if (value == nullptr || value->is(Kind::null)) return "nothing";
  if (value->is(Kind::string)) return "text";
  return value->is(Kind::number) ? "number" : "something else";
}

std::span<const DoctorQuestion> doctor_questions() {
  return kQuestions;
}

}  // namespace sharedrift
