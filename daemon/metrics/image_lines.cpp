#include "metrics/image_lines.hpp"

#include "core/text.hpp"
#include "metrics/page_writer.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

namespace sharedrift {

namespace {

enum class Form { integer, millis, info, state };
using Value = ImageView::Gauge;

/// One line that an image may contribute; a value that is not there is a line that is not there.
struct Line {
  Metric family;
  Form form;
  Value (*value)(const ImageView&);
  std::string_view more_labels = {};
};

Value count(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}
Value moment(const std::optional<WallTime>& time) {
  return time ? time->time_since_epoch().count() : 0;
}
Value unless_canary(const ImageView& view, const Value& value) {
  return view.policy->canary ? std::nullopt : value;
}
Value canary_open(const ImageView& view) {
  if (!view.policy->canary || !view.unexpected_accounts) return std::nullopt;
  return *view.unexpected_accounts > 0 ? 1 : 0;
}

constexpr std::string_view kUnexpected = R"(,kind="unexpected")";
constexpr std::string_view kMissing = R"(,kind="missing")";
using V = const ImageView&;

// Grouped by family.
constexpr std::array kLines{
    Line{Metric::image_info, Form::info, [](V /*view*/) { return Value{1}; }},
    Line{Metric::shared_accounts, Form::integer, [](V v) { return v.shared_accounts; }},
    Line{Metric::allowed_accounts, Form::integer, [](V v) { return count(v.allowed_accounts); }},
    Line{Metric::unexpected_accounts, Form::integer,
         [](V v) { return unless_canary(v, v.unexpected_accounts); }},
    Line{Metric::unexpected_accounts_min, Form::integer,
         [](V v) { return unless_canary(v, v.unexpected_accounts_min); }},
    Line{Metric::canary_drift_open, Form::integer, canary_open},
    Line{Metric::missing_accounts, Form::integer, [](V v) { return v.missing_accounts; }},
    Line{Metric::unlisted_accounts, Form::integer, [](V v) { return v.unlisted_accounts; }},
    Line{Metric::unused_entries, Form::integer, [](V v) { return v.unused_entries; }},
    Line{Metric::listing_complete, Form::integer, [](V v) { return Value{v.listing_complete ? 1 : 0}; }},
    Line{Metric::listing_last_complete, Form::millis, [](V v) { return moment(v.last_complete); }},
    Line{Metric::listing_last_attempt, Form::millis, [](V v) { return moment(v.last_attempt); }},
    Line{Metric::image_state, Form::state, [](V v) { return Value{static_cast<std::int64_t>(v.state)}; }},
    Line{Metric::poll_interval, Form::millis, [](V v) { return Value{v.policy->interval.count()}; }},
    Line{Metric::listings, Form::integer, [](V v) { return count(v.counters.listings); }},
    Line{Metric::listing_failures, Form::integer, [](V v) { return count(v.counters.failures); }},
    Line{Metric::opened, Form::integer, [](V v) { return count(v.counters.opened[0]); }, kUnexpected},
    Line{Metric::opened, Form::integer, [](V v) { return count(v.counters.opened[1]); }, kMissing},
    Line{Metric::closed, Form::integer, [](V v) { return count(v.counters.closed[0]); }, kUnexpected},
    Line{Metric::closed, Form::integer, [](V v) { return count(v.counters.closed[1]); }, kMissing},
    Line{Metric::flaps, Form::integer, [](V v) { return count(v.counters.flaps); }},
};
static_assert(kAllDriftKinds[0] == DriftKind::unexpected && kAllDriftKinds[1] == DriftKind::missing);

std::size_t index(Metric family) {
  return static_cast<std::size_t>(family);
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append("=\"");
  append_label_value(out, value);
  out += '"';
}

bool same_info(const ImagePolicy& a, const ImagePolicy& b) {
  return &a == &b ||
         std::tie(a.name, a.team, a.severity, a.profile) == std::tie(b.name, b.team, b.severity, b.profile);
}
bool same_drifts(const ImageView& a, const ImageView& b) {
  return a.policy->canary == b.policy->canary &&
         std::equal(a.drifts.begin(), a.drifts.end(), b.drifts.begin(), b.drifts.end(),
                    [](const DriftView& x, const DriftView& y) {
                      return x.account == y.account && x.kind == y.kind && x.since == y.since;
                    });
}
bool same_exceptions(const ImagePolicy& a, const ImagePolicy& b) {
  return &a == &b || std::equal(a.exceptions.begin(), a.exceptions.end(), b.exceptions.begin(),
                                b.exceptions.end(), [](const Exception& x, const Exception& y) {
                                  return x.account == y.account && x.expires == y.expires;
                                });
}

/// A line of a family on its way to the page: what it has in common for all images.
struct LineFrame {
  Line line;
  std::string start;  ///< as far as the id
  std::string end;    ///< from the id to the value
};

LineFrame frame_of(const Line& line) {
  return {line, std::string{spec(line.family).name} + "{image_id=\"",
          "\"" + std::string{line.more_labels} + "} "};
}

/// Lines whose value is 1 and whose labels are the news.
void append_labelled(std::string& out, const LineFrame& frame, const ImageView& view) {
  const ImagePolicy& policy = *view.policy;
  out.append(frame.start).append(policy.id.str()).append("\"");
  if (frame.line.form == Form::info) {
    append_label(out, ",image_name", policy.name);
    append_label(out, ",team", policy.team);
    append_label(out, ",severity", policy.severity);
    append_label(out, ",profile", policy.profile);
  } else {
    append_label(out, ",state", to_string(view.state));
  }
  out.append("} 1\n");
}

/// Takes the room for the line once and fills it: most of a page after a poll is made here.
void append_valued(std::string& out, const LineFrame& frame, const ImageView& view, std::int64_t value) {
  const std::string_view id = view.policy->id.str();
  const std::size_t begin = out.size();
  out.resize(begin + frame.start.size() + id.size() + frame.end.size() + kNumberRoom + 1);
  char* to = out.data() + begin;
  for (const std::string_view part : {std::string_view{frame.start}, id, std::string_view{frame.end}})
    to = std::copy(part.begin(), part.end(), to);
  to = frame.line.form == Form::millis ? write_millis(to, Millis{value}) : write_number(to, value);
  *to++ = '\n';
  out.resize(static_cast<std::size_t>(to - out.data()));
}

void append_line(std::string& out, const LineFrame& frame, const ImageView& view) {
  const Value value = frame.line.value(view);
  if (!value) return;
  if (frame.line.form == Form::info || frame.line.form == Form::state) {
    append_labelled(out, frame, view);
  } else {
    append_valued(out, frame, view, *value);
  }
}

/// A series of one account on its way to the page.
struct AccountSeries {
  std::int64_t at = 0;  ///< the value, milliseconds since 1970
  const ImageView* view = nullptr;
  const AccountId* account = nullptr;
  std::optional<DriftKind> kind;
  friend bool operator<(const AccountSeries& a, const AccountSeries& b) {
    return std::tie(a.at, a.view->policy->id, *a.account, a.kind) <
           std::tie(b.at, b.view->policy->id, *b.account, b.kind);
  }
};

/// Keeps the smallest kMaxAccountSeries of all that are put in.
class Oldest {
 public:
  void put(const AccountSeries& series) {
    if (heap_.size() == kMaxAccountSeries) {
      if (!(series < heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
    }
    heap_.push_back(series);
    std::push_heap(heap_.begin(), heap_.end());
  }
  std::vector<AccountSeries> take() {
    std::sort_heap(heap_.begin(), heap_.end());
    return std::move(heap_);
  }

 private:
  std::vector<AccountSeries> heap_;
};

/// Calls `visit(series)` for each account series the views have in `family`.
template <class Visit>
void for_each_account(Metric family, const std::vector<ViewPtr>& views, Visit visit) {
  for (const ViewPtr& view : views) {
    if (family == Metric::exception_expiry) {
      for (const Exception& e : view->policy->exceptions)
        visit(AccountSeries{e.expires.time_since_epoch().count(), view.get(), &e.account, std::nullopt});
    } else if (!view->policy->canary) {
      for (const DriftView& d : view->drifts)
        visit(AccountSeries{d.since.time_since_epoch().count(), view.get(), &d.account, d.kind});
    }
  }
}

void append_accounts(std::string& out, Metric family, const std::vector<ViewPtr>& views,
                     const AccountNames& names) {
  Oldest oldest;
  for_each_account(family, views, [&oldest](const AccountSeries& series) { oldest.put(series); });
  for (const AccountSeries& series : oldest.take()) {
    out.append(spec(family).name).append("{");
    append_label(out, "image_id", series.view->policy->id.str());
    append_label(out, ",account_id", series.account->str());
    if (series.kind) {
      const auto name = names.find(*series.account);
      append_label(out, ",account_name", name == names.end() ? std::string_view{} : name->second);
      append_label(out, ",kind", to_string(*series.kind));
    }
    out.append("} ");
    append_millis(out, Millis{series.at});
    out += '\n';
  }
}

std::size_t dropped(Metric family, const std::vector<ViewPtr>& views) {
  std::size_t all = 0;
  for_each_account(family, views, [&all](const AccountSeries& /*series*/) { ++all; });
  return all > kMaxAccountSeries ? all - kMaxAccountSeries : 0;
}

void append_total(std::string& out, Metric family, std::size_t value) {
  out.append(spec(family).name).append(" ");
  append_number(out, static_cast<std::int64_t>(value));
  out += '\n';
}

}  // namespace

ImageMetrics differing(const ImageView& a, const ImageView& b) {
  ImageMetrics result;
  for (const Line& line : kLines) {
    if (line.value(a) != line.value(b)) result.set(index(line.family));
  }
  if (!same_info(*a.policy, *b.policy)) result.set(index(Metric::image_info));
  if (!same_drifts(a, b)) result.set(index(Metric::account_since));
  if (!same_exceptions(*a.policy, *b.policy)) result.set(index(Metric::exception_expiry));
  if (result.test(index(Metric::account_since)) || result.test(index(Metric::exception_expiry))) {
    result.set(index(Metric::account_series_dropped));
  }
  return result;
}

bool is_of_whole_fleet(Metric family) {
  return family == Metric::account_since || family == Metric::exception_expiry ||
         family == Metric::account_series_dropped || family == Metric::watched_images;
}

void append_image_family(std::string& out, Metric family, const std::vector<ViewPtr>& views,
                         const AccountNames& names) {
  if (family == Metric::account_since || family == Metric::exception_expiry) {
    append_accounts(out, family, views, names);
  } else if (family == Metric::account_series_dropped) {
    append_total(out, family,
                 dropped(Metric::account_since, views) + dropped(Metric::exception_expiry, views));
  } else if (family == Metric::watched_images) {
    append_total(out, family, views.size());
  } else {
    std::vector<LineFrame> frames;
    for (const Line& line : kLines) {
      if (line.family == family) frames.push_back(frame_of(line));
    }
    constexpr std::size_t kLongLine = 120;
    out.reserve(out.size() + views.size() * frames.size() * kLongLine);
    for (const ViewPtr& view : views) {
      for (const LineFrame& frame : frames)
        append_line(out, frame, *view);
    }
  }
}

}  // namespace sharedrift
