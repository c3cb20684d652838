#include "aliyun/answer.hpp"

#include "core/failure.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace sharedrift {

namespace {

using Kind = JsonValue::Kind;

std::string_view text_of(const JsonValue& root, std::string_view name, std::string_view other_name) {
  for (const std::string_view candidate : {name, other_name}) {
    const JsonValue* value = root.find(candidate);
    if (value != nullptr && (value->is(Kind::string) || value->is(Kind::number))) return value->text;
  }
  return {};
}

/// Some operations carry a `Code` in a good answer, too.
bool is_success_code(std::string_view code) {
  constexpr std::array<std::string_view, 6> kGood{"", "0", "200", "OK", "Success", "success"};
  const std::string_view bare = trim(code);
  return std::find(kGood.begin(), kGood.end(), bare) != kGood.end();
}

/// Nothing in the body can be understood: the status alone decides, and 200 is a fault of its own.
ApiError unreadable(const HttpResponse& response, const JsonProblem& problem) {
  const int status = response.status;
  if (status == 429 || status >= 500) return classify_refusal("", status, "");
  const bool html = trim(response.body).starts_with('<');
  const Reason reason = status != 200 || html ? Reason::protocol
                        : problem.capped      ? Reason::too_large
                                              : Reason::bad_payload;
  ApiError error;
  error.cure = usual_cure(reason);
  error.what = "HTTP " + std::to_string(status) + (html ? ", a page instead of JSON" : ": " + problem.what);
  error.failure = make_failure(reason, error.what + (error.cure.empty() ? "" : "; " + error.cure));
  error.failure.http_status = status;
  return error;
}

std::optional<AccountId> account_of(const JsonValue& row) {
  if (row.is(Kind::string) || row.is(Kind::number)) return AccountId::parse(row.text);
  for (const std::string_view name : {"AliyunUid", "AliyunId"}) {
    const JsonValue* id = row.find(name);
    if (id != nullptr && (id->is(Kind::string) || id->is(Kind::number))) return AccountId::parse(id->text);
  }
  return std::nullopt;
}

std::optional<InventoryRow> image_of(const JsonValue& row) {
  constexpr std::size_t kLongestName = 512;  // 128 characters: what is cut could fit another rule
  const JsonValue* id = row.find("ImageId");
  auto parsed = id != nullptr && id->is(Kind::string) ? ImageId::parse(id->text) : std::nullopt;
  if (!parsed) return std::nullopt;
  InventoryRow image{
      std::move(*parsed), clean(text_of(row, "ImageName", "imageName"), kLongestName), {}, true};
  if (const JsonValue* created = row.find("CreationTime")) image.created = parse_rfc3339(created->text);
  const JsonValue* owner = row.find("ImageOwnerAlias");
  image.ours = owner == nullptr || !owner->is(Kind::string) || owner->text != "others";
  return image;
}

/// The list of rows wherever it is; null if there is none, `odd` if something else is in its place.
const JsonValue* find_rows(const JsonValue& root, bool& odd) {
  const JsonValue* accounts = root.find("Accounts");
  if (accounts == nullptr || accounts->is(Kind::null)) return nullptr;
  if (accounts->is(Kind::array)) return accounts;
  if (accounts->is(Kind::object)) {
    const JsonValue* rows = accounts->find("Account");
    if (rows == nullptr && accounts->items.empty()) return nullptr;
    if (rows != nullptr && rows->is(Kind::null)) return nullptr;
    if (rows != nullptr && rows->is(Kind::array)) return rows;
  }
  odd = true;
  return nullptr;
}

std::optional<std::int64_t> integer_of(const JsonValue& root, std::string_view name) {
  const JsonValue* value = root.find(name);
  return value == nullptr ? std::nullopt : value->integer();
}

/// An echo that is there but cannot be read is one that does not agree: -1 is asked for by nobody.
std::optional<std::int64_t> echo_of(const JsonValue& root, std::string_view name) {
  const JsonValue* value = root.find(name);
  if (value == nullptr || value->is(Kind::null)) return std::nullopt;
  return value->integer().value_or(-1);
}

}  // namespace

Result<JsonDocument, ApiError> open_answer(const HttpResponse& response, std::string_view right) {
  auto document = parse_json(response.body);
  if (!document) return Err(unreadable(response, document.error()));
  const JsonValue& root = document->root();
  if (!root.is(Kind::object)) return Err(unreadable(response, {"JSON, but no object"}));
  const std::string_view code = text_of(root, "Code", "code");
  const JsonValue* odd_code = root.find("Code");
  if (odd_code != nullptr && code.empty() && !odd_code->is(Kind::null) && !odd_code->is(Kind::string))
    return Err(unreadable(response, {"a Code that is neither text nor number"}));
  if (response.status == 200 && is_success_code(code)) return std::move(*document);
  if (response.status / 100 == 3) return Err(unreadable(response, {"a redirect"}));
  if (is_success_code(code) && response.status / 100 == 2)
    return Err(unreadable(response, {"an unexpected status"}));
  return Err(classify_refusal(code, response.status, text_of(root, "RequestId", "requestId"),
                              text_of(root, "Message", "message"), right));
}

Result<Page, Failure> decode_page(const JsonValue& root) {
  Page page;
  page.total_count = integer_of(root, "TotalCount");
  page.page_number = echo_of(root, "PageNumber");
  page.page_size = echo_of(root, "PageSize");
  const JsonValue* image = root.find("ImageId");
  if (image != nullptr && !image->is(Kind::null)) page.image_id = std::string(image->text);
  page.request_id = clean(text_of(root, "RequestId", "requestId"), 80);
  bool odd = false;
  const JsonValue* rows = find_rows(root, odd);
  if (odd) return Err(make_failure(Reason::bad_payload, "Accounts has a form that is not documented"));
  if (rows == nullptr) {
    if (!page.total_count)
      return Err(make_failure(Reason::bad_payload, "neither Accounts nor TotalCount in the answer"));
    return page;  // no rows; whether that can be is for the listing to judge
  }
  page.accounts.reserve(rows->items.size());
  for (const JsonValue& row : rows->items) {
    const auto account = account_of(row);
    if (account) {
      page.accounts.push_back(*account);
    } else {
      ++page.unusable_rows;
    }
  }
  return page;
}

Result<InventoryPage, Failure> decode_inventory(const JsonValue& root) {
  const JsonValue* images = root.find("Images");
  const JsonValue* rows = images == nullptr         ? nullptr
                          : images->is(Kind::array) ? images
                                                    : images->find("Image");
  InventoryPage page;
  page.total_count = echo_of(root, "TotalCount");
  page.page_number = echo_of(root, "PageNumber");
  if (rows == nullptr || rows->is(Kind::null)) {
    // Only a count of 0 makes "no list" an answer; silence is not proof that an image is gone.
    if (page.total_count == 0) return page;
    return Err(make_failure(Reason::bad_payload, "the inventory has no list of images"));
  }
  if (!rows->is(Kind::array))
    return Err(make_failure(Reason::bad_payload, "the inventory's list has an unknown form"));
  page.rows.reserve(rows->items.size());
  for (const JsonValue& row : rows->items) {
    auto image = image_of(row);
    if (image) {
      page.rows.push_back(std::move(*image));
    } else {
      ++page.unusable_rows;
    }
  }
  return page;
}

Result<AccountId, Failure> decode_caller_identity(const JsonValue& root) {
  const JsonValue* id = root.find("AccountId");
  if (id != nullptr && (id->is(Kind::string) || id->is(Kind::number))) {
    const auto account = AccountId::parse(id->text);
    if (account) return *account;
  }
  return Err(make_failure(Reason::bad_payload, "GetCallerIdentity answered without a usable AccountId"));
}

}  // namespace sharedrift
