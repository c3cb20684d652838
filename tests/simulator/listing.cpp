#include "simulator/listing.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <vector>

namespace sharedrift::simulator {

namespace {

/// What a page says, before it becomes text.
struct Page {
  std::string request_id;
  std::string image;
  std::int64_t page = 1;
  std::int64_t size = 10;
  std::int64_t total = 0;
  std::vector<AccountId> rows;
  bool last = true;
  // How it is written where no fault says otherwise:
  std::string_view total_count;
  std::string_view empty_list;
  std::string_view row_form;
};

std::vector<AccountId> visible_rows(const Image& image, const PageRequest& asked, const Fault* hidden) {
  std::vector<AccountId> rows = image.shared;
  if (asked.only) std::erase_if(rows, [&](const AccountId& a) { return a.str() != *asked.only; });
  if (hidden != nullptr) {
    std::erase_if(rows, [&](const AccountId& a) { return a.str() == hidden->text("account"); });
  }
  return rows;
}

/// Rows of one page out of all; an overlong page number is just past the end.
void cut_out(Page& page, const std::vector<AccountId>& all, std::int64_t number, std::int64_t size) {
  const auto count = static_cast<std::int64_t>(all.size());
  const std::int64_t from = number - 1 > count / size ? count : std::min(count, (number - 1) * size);
  const std::int64_t to = std::min(count, from + size);
  page.rows.assign(all.begin() + from, all.begin() + to);
  page.last = to == count;
}

Page honest_page(const Image* image, const PageRequest& asked, const Effects& effects) {
  Page page{.image = std::string(asked.image), .page = asked.page, .size = asked.size};
  page.total_count = asked.total_count;
  page.empty_list = asked.empty_list;
  page.row_form = asked.row_form;
  if (image == nullptr || effects.find(FaultKind::lying_empty) != nullptr) return page;
  const Fault* small = effects.find(FaultKind::small_pages);
  const std::int64_t size = small == nullptr ? asked.size : std::min(asked.size, small->number("size"));
  if (small != nullptr && small->text("echo") == "used") page.size = size;
  const Fault* repeat = effects.find(FaultKind::repeat_page);
  const std::int64_t number = repeat == nullptr ? asked.page : std::min(asked.page, repeat->number("page"));
  const Fault* hidden = effects.find(FaultKind::hide);
  if (small == nullptr && hidden == nullptr && !asked.only) {  // the common case copies only the page
    page.total = static_cast<std::int64_t>(image->shared.size());
    cut_out(page, image->shared, number, size);
    return page;
  }
  const std::vector<AccountId> all = visible_rows(*image, asked, hidden);
  const bool keep_total = hidden != nullptr && hidden->text("total") == "kept";
  page.total = static_cast<std::int64_t>(keep_total ? image->shared.size() : all.size());
  cut_out(page, all, number, size);
  return page;
}

void apply_shift(Image& image, const Fault& shift, const Page& page, IdSource& ids) {
  if (page.last || image.shared.empty()) return;
  const std::string& change = shift.text("change");
  const auto fresh = AccountId::parse(generated_account(100'000'000 + ids.next() % 1'000'000'000));
  if (!fresh) return;
  if (change == "insert") {
    image.shared.push_back(*fresh);
    std::rotate(image.shared.begin(), image.shared.end() - 1, image.shared.end());
    return;
  }
  image.shared.erase(image.shared.begin());
  if (change == "swap") image.shared.push_back(*fresh);
}

/// A JSON string whose content is not escaped where the fault wants bad bytes.
std::string quoted(std::string_view text, const Effects& effects, std::string_view where) {
  std::string out;
  append_json_string(out, text);
  const Fault* bad = effects.find(FaultKind::bad_text);
  if (bad == nullptr || bad->text("where") != where) return out;
  out.pop_back();
  const std::string& form = bad->text("form");
  if (form == "invalid_utf8") out += "\xff\xc0\xaf";
  if (form == "nul") out += "\\u0000x";
  if (form == "bidi") out.append({'\xe2', '\x80', '\xae'}).append("gnp.exe");
  if (form == "newline") out += "\\nlevel=error event=forged";
  if (form == "escape") out += "\\u001b[2J";
  return out + "\"";
}

std::string row_json(const AccountId& account, std::string_view usual_form, const Effects& effects) {
  const Fault* fault = effects.find(FaultKind::rows);
  const std::string form = fault == nullptr ? std::string(usual_form) : fault->text("form");
  std::string digits(account.str());
  std::string text = quoted(digits, effects, "account");
  if (form == "strings") return text;
  if (form == "numbers") return digits;
  if (form == "numeric_uid") return "{\"AliyunUid\":" + digits + "}";
  if (form == "aliyun_id") return "{\"AliyunId\":" + text + "}";
  if (form == "numeric_aliyun_id") return "{\"AliyunId\":" + digits + "}";
  if (form == "pseudo_json") return "\"[{\\\"AliyunId\\\": " + digits + "},]\"";
  const Fault* twice = effects.find(FaultKind::duplicate_keys);
  if (twice != nullptr && twice->text("name") == "AliyunUid") {
    return "{\"AliyunUid\":\"1\",\"AliyunUid\":" + text + "}";
  }
  return "{\"AliyunUid\":" + text + "}";
}

std::string garbage_row(const std::string& form) {
  if (form == "null") return "null";
  if (form == "empty_object") return "{}";
  if (form == "letters") return R"({"AliyunUid":"not-an-account"})";
  if (form == "negative") return R"({"AliyunUid":-5})";
  if (form == "float") return R"({"AliyunUid":1.715107400000001e15})";
  if (form == "list") return R"([["1715107400000001"]])";
  if (form == "blank") return R"({"AliyunUid":" "})";
  return R"({"AliyunUid":"123456789012345678901234567890"})";
}

std::string rows_json(const Page& page, const Effects& effects) {
  std::string out = "[";
  const Fault* garbage = effects.find(FaultKind::garbage_rows);
  if (garbage == nullptr || garbage->text("mode") == "add") {
    out.reserve(page.rows.size() * 40);
    if (effects.empty() && page.row_form == "usual") {
      for (const AccountId& account : page.rows) {
        out.append(out.size() > 1 ? "," : "").append(R"({"AliyunUid":")").append(account.str()).append("\"}");
      }
    } else {
      for (const AccountId& account : page.rows)
        out.append(out.size() > 1 ? "," : "").append(row_json(account, page.row_form, effects));
    }
  }
  if (garbage != nullptr) {
    for (std::int64_t i = 0; i < garbage->number("rows"); ++i)
      out.append(out.size() > 1 ? "," : "").append(garbage_row(garbage->text("form")));
  }
  return out + "]";
}

/// What stands where an object with Account is expected.
std::string accounts_value(const Page& page, const Effects& effects, std::string_view shape) {
  if (const Fault* deep = effects.find(FaultKind::deep)) {
    const auto depth = static_cast<std::size_t>(deep->number("depth"));
    return std::string(depth, '[') + std::string(depth, ']');
  }
  if (shape == "null") return "null";
  if (shape == "array") return rows_json(page, effects);
  if (shape == "empty_array") return "[]";
  if (shape == "empty_object") return "{}";
  if (shape == "account_null") return R"({"Account":null})";
  if (shape == "account_object") return R"({"Account":{"0":{"AliyunUid":"1"}}})";
  if (shape == "text") return R"("[{\"AliyunId\": 1},]")";
  return "{\"Account\":" + rows_json(page, effects) + "}";
}

/// `"Accounts":...,` or nothing.
std::string accounts_member(const Page& page, const Effects& effects) {
  const Fault* fault = effects.find(FaultKind::accounts);
  const std::string shape =
      fault != nullptr ? fault->text("shape") : std::string(page.rows.empty() ? page.empty_list : "");
  if (shape == "missing") return {};
  const Fault* twice = effects.find(FaultKind::duplicate_keys);
  const bool doubled = twice != nullptr && twice->text("name") == "Accounts";
  return (doubled ? R"("Accounts":{"Account":[]},"Accounts":)" : "\"Accounts\":") +
         accounts_value(page, effects, shape) + ",";
}

/// `"TotalCount":...,` or nothing.
std::string total_member(const Page& page, const Effects& effects) {
  const Fault* fault = effects.find(FaultKind::total_count);
  const std::int64_t usual_delta = page.total_count == "more" ? 1 : page.total_count == "less" ? -1 : 0;
  const std::int64_t total = page.total + (fault == nullptr ? usual_delta : fault->number("delta"));
  const Fault* shape = effects.find(FaultKind::total_form);
  const std::string_view usual_form = page.total_count == "text"      ? "string"
                                      : page.total_count == "omitted" ? "omit"
                                                                      : "";
  const std::string form = shape == nullptr ? std::string(usual_form) : shape->text("form");
  if (form == "omit") return {};
  std::string value = std::to_string(total);
  if (form == "string") value = "\"" + value + "\"";
  if (form == "null") value = "null";
  if (form == "float") value += ".5";
  const Fault* twice = effects.find(FaultKind::duplicate_keys);
  const bool doubled = twice != nullptr && twice->text("name") == "TotalCount";
  return (doubled ? "\"TotalCount\":0,\"TotalCount\":" : "\"TotalCount\":") + value + ",";
}

std::string code_member(const Effects& effects) {
  const Fault* fault = effects.find(FaultKind::code_on_success);
  if (fault == nullptr) return {};
  const std::string& code = fault->text("code");
  const bool digits = !code.empty() && code.find_first_not_of("0123456789") == std::string::npos;
  std::string value = code;
  if (!digits) {
    value.clear();
    append_json_string(value, code);
  }
  return "\"Code\":" + value + ",";
}

}  // namespace

std::string listing_page(Image* image, const PageRequest& asked, const Effects& effects, IdSource& ids,
                         std::string_view request_id) {
  Page page = honest_page(image, asked, effects);
  if (const Fault* shift = effects.find(FaultKind::shift); shift != nullptr && image != nullptr) {
    apply_shift(*image, *shift, page, ids);
  }
  if (const Fault* echo = effects.find(FaultKind::echo)) {
    if (!echo->text("image_id").empty()) page.image = echo->text("image_id");
    if (echo->number("page_number") != 0) page.page = echo->number("page_number");
    if (echo->number("page_size") != 0) page.size = echo->number("page_size");
  }
  std::string out = "{" + code_member(effects) + total_member(page, effects);
  out.append("\"PageSize\":").append(std::to_string(page.size));
  out.append(",\"RequestId\":").append(quoted(request_id, effects, "request_id"));
  out.append(",\"PageNumber\":").append(std::to_string(page.page)).append(",");
  out.append(accounts_member(page, effects));
  const Fault* twice = effects.find(FaultKind::duplicate_keys);
  if (twice != nullptr && twice->text("name") == "ImageId") out.append(R"("ImageId":"m-other",)");
  return out.append("\"ImageId\":").append(quoted(page.image, effects, "image")).append("}");
}

}  // namespace sharedrift::simulator
