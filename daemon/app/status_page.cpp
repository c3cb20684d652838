#include "app/status_page.hpp"

#include "core/text.hpp"

namespace sharedrift {

namespace {

void append_html(std::string& out, std::string_view text) {
  for (const char c : clean(text, 500)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
}

void append_accounts(std::string& out, const ImageView& view, DriftKind kind, const AccountNames& names) {
  bool first = true;
  for (const DriftView& drift : view.drifts) {
    if (drift.kind != kind) continue;
    if (!first) out += "<br>";
    first = false;
    out += drift.account.str();
    const auto name = names.find(drift.account);
    if (name != names.end()) {
      out += " (";
      append_html(out, name->second);
      out += ")";
    }
    out += " since " + format_rfc3339(drift.since);
  }
}

std::string_view verdict(const ImageView& view) {
  if (!view.drifts.empty()) return view.drifts.front().kind == DriftKind::unexpected ? "Leaking" : "Missing";
  return view.unexpected_accounts && view.listing_complete ? "In sync" : "Unknown";
}

}  // namespace

std::string status_page(const Fleet& fleet, WallTime now) {
  std::string out =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>share-drift-exporter</title>"
      "<h1>share-drift-exporter</h1><p>As of " +
      format_rfc3339(now) +
      ". <a href=\"/metrics\">Metrics</a>, <a href=\"/api/v1/images\">images</a>, <a "
      "href=\"/config\">config</a>.</p>"
      "<table><tr><th>Image<th>Verdict<th>State<th>Unexpected<th>Missing<th>Last complete listing<th>Last "
      "error</tr>";
  for (const ViewPtr& view : fleet.views) {
    out += "<tr><td>" + view->policy->id.str() + " ";
    append_html(out, view->policy->name);
    out += "<td>";
    out += verdict(*view);
    out += "<td>";
    out += to_string(view->state);
    out += "<td>";
    append_accounts(out, *view, DriftKind::unexpected, *fleet.account_names);
    out += "<td>";
    append_accounts(out, *view, DriftKind::missing, *fleet.account_names);
    out +=
        "<td>" + (view->last_complete ? format_rfc3339(*view->last_complete) : std::string{"never"}) + "<td>";
    if (view->last_failure) {
      append_html(out,
                  std::string{to_string(view->last_failure->reason)} + ": " + view->last_failure->detail);
    }
    out += "</tr>";
  }
  return out + "</table></html>\n";
}

}  // namespace sharedrift
