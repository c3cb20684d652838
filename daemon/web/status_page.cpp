#include "web/status_page.hpp"

#include "web/html.hpp"
#include "web/status_assets.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

namespace sharedrift {

namespace {

// Of one image's accounts: so many are shown, so many more are folded, and the rest is counted.
constexpr std::size_t kShown = 5;
constexpr std::size_t kMost = 20;

struct Row {
  const ImageView* view;
  Judgement judgement;
};

void append_cell(std::string& out, std::string_view name, std::string_view title, std::string_view content) {
  out.append("<td role=\"cell\" class=\"").append(name).append("\" data-label=\"");
  out.append(title).append("\">").append(content).append("</td>");
}

std::string image_cell(const ImagePolicy& policy) {
  const std::string& id = policy.id.str();  // of characters that need no escape anywhere
  std::string out = "<th role=\"rowheader\" scope=\"row\" class=\"image\"><a href=\"images/" + id +
                    "\"><bdi>" + (policy.name.empty() ? id : html(policy.name)) + "</bdi></a>";
  if (!policy.name.empty()) out += "<code>" + id + "</code>";
  std::string meta;
  if (!policy.team.empty()) meta += "<bdi>" + html(policy.team) + "</bdi>";
  if (!policy.severity.empty()) meta += "<bdi>" + html(policy.severity) + "</bdi>";
  if (policy.canary) meta += "<span>canary</span>";
  if (!meta.empty()) out += "<span class=\"meta\">" + meta + "</span>";
  return out + "</th>";
}

std::string drift_item(const DriftView& drift, const AccountNames& names, WallTime now) {
  std::string out = "<li class=\"" + std::string(to_string(drift.kind)) + "\"><span class=\"kind\">" +
                    (drift.kind == DriftKind::unexpected ? "Unexpected" : "Missing") + "</span>";
  out += account_html(drift.account, names);
  out += "<span class=\"since\">since " + minute(drift.since) + ", " + ago(drift.since, now) + "</span>";
  if (drift.held) {
    out += "<span class=\"note\">clear is held</span>";
  } else if (drift.clearing) {
    out += "<span class=\"note\">clearing</span>";
  }
  return out + "</li>";
}

std::string drift_cell(const Row& row, const AccountNames& names, WallTime now) {
  const auto& drifts = row.view->drifts;
  if (drifts.empty()) {
    return row.judgement.verdict == Verdict::in_sync ? "<span class=\"none\">none</span>"
                                                     : "<span class=\"none\">not known</span>";
  }
  std::string out = "<ul data-count=\"" + std::to_string(drifts.size()) + "\">";
  for (std::size_t i = 0; i < std::min(drifts.size(), kMost); ++i) {
    if (i == kShown) {
      out += "<li class=\"more\"><details><summary>" + std::to_string(drifts.size() - kShown) +
             " more</summary><ul>";
    }
    out += drift_item(drifts[i], names, now);
  }
  if (drifts.size() > kMost) {
    out += "<li class=\"more\"><a href=\"images/" + row.view->policy->id.str() + "\">and " +
           std::to_string(drifts.size() - kMost) + " more</a></li>";
  }
  if (drifts.size() > kShown) out += "</ul></details></li>";
  return out + "</ul>";
}

std::string age_cell(const Row& row, WallTime now) {
  const auto& proven = row.view->last_complete;
  if (!proven) return "<span class=\"stale\">never</span>";
  const std::string text = ago(*proven, now) + " ago";
  return row.judgement.stale ? "<span class=\"stale\">" + text + "</span>" : text;
}

void append_row(std::string& out, const Row& row, const AccountNames& names, WallTime now) {
  const ImageView& view = *row.view;
  const Judgement& judgement = row.judgement;
  out.append("<tr role=\"row\" data-id=\"").append(view.policy->id.str());
  out.append("\" data-verdict=\"").append(to_string(judgement.verdict));
  out.append("\" data-team=\"").append(html(view.policy->team)).append("\">");
  append_cell(out, "verdict", "Verdict",
              "<span class=\"badge\">" + std::string(label(judgement.verdict)) + "</span>" +
                  (judgement.why.empty() ? "" : "<span class=\"why\">" + html(judgement.why) + "</span>"));
  out += image_cell(*view.policy);
  append_cell(out, "drift", "Drift", drift_cell(row, names, now));
  append_cell(
      out, "shared", "Shared with",
      view.shared_accounts ? std::to_string(*view.shared_accounts) : "<span class=\"none\">not known</span>");
  append_cell(out, "proof", "Last proof", age_cell(row, now));
  append_cell(out, "error", "Last error", failure_html(view.last_failure));
  out += "</tr>\n";
}

/// Without scripts and style attributes: the widths are attributes of SVG. What there is can be seen: on the
/// narrowest phone, its part is 8 pixels wide.
std::string bar(const VerdictCounts& counts) {
  constexpr std::size_t kWidth = 1000;
  constexpr std::size_t kLeast = 28;
  const std::size_t total = std::max<std::size_t>(counts.total(), 1);
  const auto kinds =
      static_cast<std::size_t>(std::count_if(kAllVerdicts.begin(), kAllVerdicts.end(),
                                             [&counts](Verdict verdict) { return counts.of(verdict) > 0; }));
  std::string out;
  std::size_t from = 0;
  for (const Verdict verdict : kAllVerdicts) {
    const std::size_t count = counts.of(verdict);
    const std::size_t width = count == 0 ? 0 : kLeast + (kWidth - kLeast * kinds) * count / total;
    out += "<rect data-verdict=\"" + std::string(to_string(verdict)) + "\" x=\"" + std::to_string(from) +
           "\" width=\"" + std::to_string(width) + "\" height=\"1\"></rect>";
    from += width;
  }
  return out;
}

/// What the account of a profile owns and nobody watches, and whether anybody can tell.
std::string inventory_lines(const std::string& name, const InventoryView& inventory, WallTime now) {
  const std::string profile = "profile " + html(name);
  std::string out;
  if (inventory.unwatched.value_or(0) > 0) {
    out += "<p class=\"trouble\">Nobody watches " + std::to_string(*inventory.unwatched) +
           (inventory.unwatched == 1 ? " image" : " images") + " that the account of " + profile + " owns:";
    std::string_view before = " ";
    for (const auto& [id, image_name] : inventory.some_unwatched) {
      out.append(std::exchange(before, ", ")).append("<code>" + id.str() + "</code>");
      if (!image_name.empty()) out += " <bdi>" + html(image_name) + "</bdi>";
    }
    out += inventory.left_out.value_or(0) > 0
               ? ". For " + std::to_string(*inventory.left_out) +
                     " of them there is no room. Find out whether the account has so many.</p>"
               : ". A rule under <code>discover</code> watches all.</p>";
  }
  if (inventory.failure) {
    out += "<p class=\"trouble\">The images that the account of " + profile +
           " owns could not be listed completely, so a new one may not be seen: " +
           html(inventory.failure->detail) + ".</p>";
  }
  const auto count = [](const InventoryView::Count& value) {
    return value ? std::to_string(*value) : std::string("not known");
  };
  return out + "<p>Inventory of " + profile + ": owned " + count(inventory.images) + ", unwatched " +
         count(inventory.unwatched) + ", ignored " + count(inventory.ignored) + "; last proof " +
         (inventory.last_complete ? ago(*inventory.last_complete, now) + " ago" : "never") + "</p>";
}

/// The exporter's own trouble, and what helps; then what it is.
std::string health_lines(const OwnHealth& health, WallTime now) {
  std::string out;
  const auto trouble = [&out](const std::string& text) { out += "<p class=\"trouble\">" + text + "</p>"; };
  if (health.config_refused) {
    trouble("The last configuration was refused. All this is judged by the one of " +
            minute(*health.config_loaded) + ". <code>share-drift-exporter --config.check</code> says why.");
  }
  if (!health.state_ok) {
    trouble(
        "The state database cannot be written, or was set aside: after a restart it would not be known since "
        "when drift is open. The log says why (state_rejected).");
  }
  if (health.clears_held > 0) {
    trouble("Many images lost accounts at once: " + std::to_string(health.clears_held) +
            (health.clears_held == 1 ? " disappearance is" : " disappearances are") +
            " held until more complete listings confirm that.");
  }
  for (const auto& [profile, inventory] : health.inventories)
    out += inventory_lines(profile, inventory, now);
  std::string about = "share-drift-exporter " + html(health.version) + " (" + html(health.revision) + ")";
  if (health.shard_count > 1) {
    about += ", shard " + std::to_string(health.shard_ordinal) + " of " + std::to_string(health.shard_count) +
             ": it watches a part of the images";
  }
  if (health.config_loaded) about += ", configuration of " + minute(*health.config_loaded);
  return out + "<p>" + about + "</p>";
}

std::string tiles(const VerdictCounts& counts) {
  std::string out;
  for (const Verdict verdict : kAllVerdicts) {
    out += "<li data-verdict=\"" + std::string(to_string(verdict)) + "\"><span class=\"tile\"><b>" +
           std::to_string(counts.of(verdict)) + "</b> " + std::string(label(verdict)) + "</span></li>";
  }
  return out;
}

/// Up to and behind the rows: assets/page.html with its {{names}} replaced.
std::pair<std::string, std::string> frame_of(const VerdictCounts& counts, const StatusPageFrame& frame) {
  const auto& [page, image_page, script, style] = status_assets();
  const std::string stamp = format_rfc3339(frame.now);
  const std::map<std::string_view, std::string> values{
      {"headline", counts.headline()},
      {"subline", counts.subline()},
      {"worst", std::string(to_string(counts.worst()))},
      {"bar", bar(counts)},
      {"health", health_lines(frame.health, frame.now)},
      {"tiles", tiles(counts)},
      {"as of",
       "<time datetime=\"" + stamp + "\">" + stamp.substr(0, 10) + " " + stamp.substr(11, 8) + " UTC</time>"},
      {"metrics", html(frame.telemetry_path.substr(1))},
      {"script", script.url},
      {"script integrity", script.integrity},
      {"style", style.url},
      {"style integrity", style.integrity},
  };
  return filled(page, values);
}

/// As the alert rules have it: free text, and an image without one is critical.
int rank_of(const std::string& severity) {
  if (severity == "info") return 2;
  return severity == "warning" || severity == "ticket" ? 1 : 0;
}

/// Since when the image is as it is, as far as the order goes.
WallTime since(const Row& row) {
  if (row.judgement.verdict == Verdict::in_sync) return {};
  if (row.view->drifts.empty()) return row.view->last_complete.value_or(WallTime{});
  const auto earlier = [](const DriftView& a, const DriftView& b) { return a.since < b.since; };
  return std::min_element(row.view->drifts.begin(), row.view->drifts.end(), earlier)->since;
}

/// The worst first, then the most severe, then the oldest.
bool comes_before(const Row& a, const Row& b) {
  const auto key = [](const Row& row) {
    const ImagePolicy& policy = *row.view->policy;
    const bool calm = row.judgement.verdict == Verdict::in_sync;
    return std::tuple{row.judgement.verdict, calm ? 0 : rank_of(policy.severity), since(row),
                      std::string_view(policy.name.empty() ? policy.id.str() : policy.name),
                      std::string_view(policy.id.str())};
  };
  return key(a) < key(b);
}

}  // namespace

void write_status_page(AnswerWriter& out, const Fleet& fleet, const StatusPageFrame& frame) {
  std::vector<Row> rows;
  VerdictCounts counts;
  rows.reserve(fleet.views.size());
  for (const ViewPtr& view : fleet.views) {
    rows.push_back({view.get(), judge(*view, frame.now)});
    counts.add(rows.back().judgement.verdict);
  }
  for (const auto& [profile, proof_lasts] : frame.health.proofs_last) {
    const auto inventory = frame.health.inventories.find(profile);
    const auto proven =
        inventory == frame.health.inventories.end() ? std::nullopt : inventory->second.last_complete;
    if (!proven || frame.now - *proven > proof_lasts) counts.add_unknown_images();
  }
  std::sort(rows.begin(), rows.end(), comes_before);
  const auto [before, behind] = frame_of(counts, frame);
  out.text() += before;
  for (const Row& row : rows) {
    append_row(out.text(), row, *fleet.account_names, frame.now);
    out.cut();
  }
  out.text() += behind;
}

}  // namespace sharedrift
