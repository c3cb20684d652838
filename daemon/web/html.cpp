#include "web/html.hpp"

#include "core/text.hpp"
#include "core/verdict.hpp"

#include <algorithm>

namespace sharedrift {

std::string html(std::string_view text, std::size_t longest) {
  std::string out;
  for (const char c : clean(text, longest)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string minute(WallTime time) {
  const std::string stamp = format_rfc3339(time);
  return stamp.substr(0, 10) + " " + stamp.substr(11, 5) + " UTC";
}

std::string ago(WallTime time, WallTime now) {
  return "<time datetime=\"" + format_rfc3339(time) + "\" title=\"" + minute(time) + "\">" +
         format_age(time, now) + "</time>";
}

std::string account_html(const AccountId& account, const AccountNames& names) {
  const std::string_view name = name_of(account, names);
  std::string out = name.empty() ? "" : "<bdi>" + html(name) + "</bdi>";
  if (!names.contains(account)) out = "<span class=\"nobody\">not in the address book</span>";
  return out + "<code>" + std::string(account.str()) + "</code>";
}

std::string failure_html(const std::shared_ptr<const Failure>& failure) {
  if (!failure) return "<span class=\"none\">none</span>";
  std::string out = "<b>" + std::string(to_string(failure->reason)) + "</b>";
  if (!failure->code.empty()) out += "<code>" + html(failure->code) + "</code>";
  if (!failure->detail.empty()) out += "<bdi>" + html(failure->detail) + "</bdi>";
  if (!failure->request_id.empty()) {
    out += "<span class=\"request\">request <code>" + html(failure->request_id) + "</code></span>";
  }
  return out;
}

std::pair<std::string, std::string> filled(std::string_view page,
                                           const std::map<std::string_view, std::string>& values) {
  std::pair<std::string, std::string> out;
  std::string* part = &out.first;
  while (!page.empty()) {
    const std::size_t begin = std::min(page.find("{{"), page.size());
    part->append(page.substr(0, begin));
    page.remove_prefix(begin);
    if (page.empty()) break;
    const std::size_t end = page.find("}}");
    const std::string_view name = page.substr(2, end - 2);
    if (name == "rows") {
      part = &out.second;
    } else {
      part->append(values.at(name));
    }
    page.remove_prefix(end + 2);
  }
  return out;
}

}  // namespace sharedrift
