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

/// As it is shown and compared. A longer one is cut, and differs from others still.
std::string request_id_of(const JsonValue& root) {
  constexpr std::size_t kLongest = 80;
  constexpr std::size_t kRoom = 24;
  const std::string_view id = text_of(root, "RequestId", "requestId");
  if (id.size() <= kLongest) return clean(id, kLongest);
  return clean(id, kLongest - kRoom) + std::to_string(stable_hash(id));
}

Failure unbelieved(const JsonValue& root, std::string detail) {
  Failure failure = make_failure(Reason::bad_payload, std::move(detail));
  failure.request_id = request_id_of(root);
  return failure;
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
  InventoryRow image{std::move(*parsed), clean(text_of(row, "ImageName", "imageName"), kLongestName), {}};
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

/// No null, no false, nothing empty.
bool says_something(const JsonValue* value) {
  if (value == nullptr) return false;
  switch (value->kind) {
    case Kind::null: return false;
    case Kind::boolean: return value->flag;
    case Kind::number: return value->text != "0";
    case Kind::string: return !value->text.empty() && !equal_but_for_case(value->text, "false");
    case Kind::array: return !value->items.empty();
    case Kind::object: break;
  }
  return std::any_of(value->items.begin(), value->items.end(),
                     [](const JsonValue& member) { return says_something(&member); });
}

/// `rows`: the member that should have them all.
std::optional<Failure> doubt(const JsonValue& root, bool from_cache, std::string_view rows) {
  if (from_cache) {
    return unbelieved(
        root,
        "the answer has an Age: a cache between this host and the API gave it, so it proves nothing; exclude "
        "the endpoint from that cache or proxy");
  }
  for (const JsonValue& member : root.items) {
    if (equal_but_for_case(member.name, "Success") && !member.is(Kind::null) && !says_something(&member))
      return unbelieved(root, "the answer says that the call had no success");
    if (equal_but_for_case(member.name, rows) && member.name != rows && says_something(&member))
      return unbelieved(root, "the answer has a " + clean(member.name, 20) + " that is written otherwise");
  }
  return std::nullopt;
}

}  // namespace

bool is_from_cache(const HttpResponse& response) {
  return std::any_of(response.headers.begin(), response.headers.end(), [](const HttpHeader& header) {
    return equal_but_for_case(header.first, "Age") &&
           trim(header.second).find_first_not_of('0') != std::string_view::npos;
  });
}

std::optional<Failure> doubt_listing(const JsonValue& root, bool from_cache) {
  for (const std::string_view name : {"IsTruncated", "NextToken"}) {
    if (says_something(root.find(name)))
      return unbelieved(root, "the answer says that there is more: " + std::string(name));
  }
  if (says_something(root.find("ShareGroups")))
    return unbelieved(root, "the answer tells of shares with groups, not accounts");
  return doubt(root, from_cache, "Accounts");
}

std::optional<Failure> doubt_inventory(const JsonValue& root, bool from_cache) {
  return doubt(root, from_cache, "Images");
}

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
  page.request_id = request_id_of(root);
  bool odd = false;
  const JsonValue* rows = find_rows(root, odd);
  if (odd) return Err(unbelieved(root, "Accounts has a form that is not documented"));
  if (rows == nullptr) {
    if (!page.total_count) return Err(unbelieved(root, "neither Accounts nor TotalCount in the answer"));
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
  page.request_id = request_id_of(root);
  if (rows == nullptr || rows->is(Kind::null)) {
    // Only a count of 0 makes "no list" an answer; silence is not proof that an image is gone.
    if (page.total_count == 0 && !says_something(images)) return page;
    return Err(unbelieved(root, "the inventory has no list of images"));
  }
  if (!rows->is(Kind::array)) return Err(unbelieved(root, "the inventory's list has an unknown form"));
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
  return Err(unbelieved(root, "GetCallerIdentity answered without a usable AccountId"));
}

}  // namespace sharedrift
