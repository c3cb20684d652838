#pragma once

#include "core/text.hpp"
#include "core/view.hpp"
#include "metrics/metric_table.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

/// The image families again, written as the metric table reads and with no thought for speed: the twin that
/// the real writer must agree with byte for byte.
namespace sharedrift::testing {

class SlowPage {
 public:
  SlowPage(std::vector<std::shared_ptr<const ImageView>> views, std::map<AccountId, std::string> names,
           bool openmetrics)
      : views_(std::move(views)), names_(std::move(names)), openmetrics_(openmetrics) {}

  std::string render() {
    infos();
    numbers("share_drift_shared_accounts", [](const ImageView& v) { return v.shared_accounts; });
    numbers("share_drift_allowed_accounts",
            [](const ImageView& v) { return std::optional<std::int64_t>(v.allowed_accounts); });
    numbers("share_drift_unexpected_accounts",
            [](const ImageView& v) { return v.policy->canary ? std::nullopt : v.unexpected_accounts; });
    numbers("share_drift_unexpected_accounts_min",
            [](const ImageView& v) { return v.policy->canary ? std::nullopt : v.unexpected_accounts_min; });
    numbers("share_drift_canary_drift_open", [](const ImageView& v) -> std::optional<std::int64_t> {
      if (!v.policy->canary || !v.unexpected_accounts) return std::nullopt;
      return *v.unexpected_accounts == 0 ? 0 : 1;
    });
    numbers("share_drift_missing_accounts", [](const ImageView& v) { return v.missing_accounts; });
    numbers("share_drift_unlisted_accounts", [](const ImageView& v) { return v.unlisted_accounts; });
    numbers("share_drift_unused_entries", [](const ImageView& v) { return v.unused_entries; });
    numbers("share_drift_listing_complete",
            [](const ImageView& v) { return std::optional<std::int64_t>(v.listing_complete); });
    times("share_drift_listing_last_complete_timestamp_seconds", [](const ImageView& v) {
      return v.last_complete ? v.last_complete->time_since_epoch() : Millis{0};
    });
    times("share_drift_listing_last_attempt_timestamp_seconds",
          [](const ImageView& v) { return v.last_attempt ? v.last_attempt->time_since_epoch() : Millis{0}; });
    states();
    times("share_drift_poll_interval_seconds", [](const ImageView& v) { return v.policy->interval; });
    numbers("share_drift_listings_total", [](const ImageView& v) { return whole(v.counters.listings); });
    numbers("share_drift_listing_failures_total",
            [](const ImageView& v) { return whole(v.counters.failures); });
    by_kind("share_drift_opened_total", [](const ImageView& v) { return v.counters.opened; });
    by_kind("share_drift_closed_total", [](const ImageView& v) { return v.counters.closed; });
    numbers("share_drift_flaps_total", [](const ImageView& v) { return whole(v.counters.flaps); });
    accounts();
    family("share_drift_watched_images", {"share_drift_watched_images " + std::to_string(views_.size())});
    return page_ + (openmetrics_ ? "# EOF\n" : "");
  }

 private:
  using Lines = std::vector<std::string>;
  static std::optional<std::int64_t> whole(std::uint64_t value) { return static_cast<std::int64_t>(value); }

  static std::string quoted(const std::string& text) {
    std::string out = "\"";
    append_label_value(out, text);
    return out + "\"";
  }
  static std::string of(const ImageView& view) { return "{image_id=\"" + view.policy->id.str() + "\""; }
  static std::string seconds(Millis time) {
    char text[64];
    std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(time.count() / 1000),
                  static_cast<long long>(time.count() % 1000));
    std::string out = text;
    while (out.back() == '0')
      out.pop_back();
    if (out.back() == '.') out.pop_back();
    return out;
  }

  void family(const std::string& name, const Lines& lines) {
    if (lines.empty()) return;
    for (const MetricSpec& metric : metric_table()) {
      if (metric.name != name) continue;
      std::string head = name;
      if (openmetrics_ && metric.kind == MetricKind::counter) head = head.substr(0, head.rfind("_total"));
      page_ += "# HELP " + head + " " + std::string(metric.help) + "\n";
      page_ += "# TYPE " + head + " " + std::string(to_string(metric.kind)) + "\n";
    }
    for (const std::string& line : lines)
      page_ += line + "\n";
  }

  void numbers(const std::string& name,
               const std::function<std::optional<std::int64_t>(const ImageView&)>& value) {
    Lines lines;
    for (const auto& view : views_) {
      if (value(*view)) lines.push_back(name + of(*view) + "} " + std::to_string(*value(*view)));
    }
    family(name, lines);
  }
  void times(const std::string& name, const std::function<Millis(const ImageView&)>& value) {
    Lines lines;
    for (const auto& view : views_)
      lines.push_back(name + of(*view) + "} " + seconds(value(*view)));
    family(name, lines);
  }
  void by_kind(const std::string& name,
               const std::function<std::array<std::uint64_t, 2>(const ImageView&)>& value) {
    Lines lines;
    for (const auto& view : views_) {
      for (const DriftKind kind : kAllDriftKinds) {
        lines.push_back(name + of(*view) + ",kind=\"" + std::string(to_string(kind)) + "\"} " +
                        std::to_string(value(*view).at(static_cast<std::size_t>(kind))));
      }
    }
    family(name, lines);
  }
  void infos() {
    Lines lines;
    for (const auto& view : views_) {
      const ImagePolicy& p = *view->policy;
      lines.push_back("share_drift_image_info" + of(*view) + ",image_name=" + quoted(p.name) +
                      ",team=" + quoted(p.team) + ",severity=" + quoted(p.severity) +
                      ",profile=" + quoted(p.profile) + "} 1");
    }
    family("share_drift_image_info", lines);
  }
  void states() {
    Lines lines;
    for (const auto& view : views_) {
      lines.push_back("share_drift_image_state" + of(*view) + ",state=\"" +
                      std::string(to_string(view->state)) + "\"} 1");
    }
    family("share_drift_image_state", lines);
  }

  void accounts() {
    using Row = std::tuple<Millis, std::string, std::string, int, std::string>;  // sorted as the page is
    std::vector<Row> drifts;
    std::vector<Row> exceptions;
    for (const auto& view : views_) {
      for (const DriftView& drift : view->drifts) {
        if (view->policy->canary) continue;
        const std::string name = names_.count(drift.account) != 0 ? names_.at(drift.account) : "";
        drifts.emplace_back(
            drift.since.time_since_epoch(), view->policy->id.str(), std::string(drift.account.str()),
            static_cast<int>(drift.kind),
            ",account_name=" + quoted(name) + ",kind=\"" + std::string(to_string(drift.kind)) + "\"");
      }
      for (const Exception& exception : view->policy->exceptions) {
        exceptions.emplace_back(exception.expires.time_since_epoch(), view->policy->id.str(),
                                std::string(exception.account.str()), 0, "");
      }
    }
    const std::size_t all = drifts.size() + exceptions.size();
    std::size_t shown = 0;
    const auto put = [&](const std::string& name, std::vector<Row>& rows) {
      std::sort(rows.begin(), rows.end());
      if (rows.size() > 200) rows.resize(200);
      shown += rows.size();
      Lines lines;
      for (const auto& [time, image, account, kind, more] : rows) {
        std::string line = name;
        line.append("{image_id=").append(quoted(image)).append(",account_id=").append(quoted(account));
        lines.push_back(line.append(more).append("} ").append(seconds(time)));
      }
      family(name, lines);
    };
    put("share_drift_account_since_timestamp_seconds", drifts);
    put("share_drift_exception_expiry_timestamp_seconds", exceptions);
    family("share_drift_account_series_dropped",
           {"share_drift_account_series_dropped " + std::to_string(all - shown)});
  }

  std::vector<std::shared_ptr<const ImageView>> views_;
  std::map<AccountId, std::string> names_;
  bool openmetrics_;
  std::string page_;
};

}  // namespace sharedrift::testing
