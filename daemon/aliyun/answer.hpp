#pragma once

#include "aliyun/classify.hpp"
#include "core/inventory.hpp"
#include "core/listing.hpp"
#include "core/result.hpp"
#include "ports.hpp"
#include "wire/json_reader.hpp"

#include <optional>
#include <string_view>

namespace sharedrift {

/// The JSON object of a successful answer (HTTP 200, no error code in the envelope), or what went wrong.
/// HTML, redirects, empty and broken bodies are errors, never an empty object. `right`: the RAM action of the
/// call.
Result<JsonDocument, ApiError> open_answer(const HttpResponse& response, std::string_view right = {});

/// A cache gave the answer: one of its Age headers is no 0.
bool is_from_cache(const HttpResponse& response);

/// Why the rows of a listing's answer were seen but prove nothing: a cache gave it, it says that it failed or
/// that there is more, it tells of shares that are no accounts, or of accounts where nobody looks for them.
std::optional<Failure> doubt_listing(const JsonValue& root, bool from_cache);
/// The same of an answer with images.
std::optional<Failure> doubt_inventory(const JsonValue& root, bool from_cache);

/// One page of DescribeImageSharePermission. Every form in which accounts have been documented or seen is
/// taken: objects with AliyunUid or AliyunId, bare strings and numbers, `Accounts` as an object around
/// `Account` or as the list itself. What is none of these counts as unusable row, so that it is never an
/// empty list. Missing `Accounts` is a list without rows only if TotalCount says 0.
Result<Page, Failure> decode_page(const JsonValue& root);

/// One page of DescribeSelfImages, which lists images of other accounts that are shared with ours, too. An
/// image whose owner is not told counts as ours: that can keep an alarm, never silence one. A missing list is
/// a list without rows only if TotalCount says 0.
Result<InventoryPage, Failure> decode_inventory(const JsonValue& root);

/// GetCallerIdentity of STS: whose key it is.
Result<AccountId, Failure> decode_caller_identity(const JsonValue& root);

}  // namespace sharedrift
