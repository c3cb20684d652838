#include "app/report_words.hpp"

#include "core/text.hpp"

#include <utility>

namespace sharedrift {

std::vector<AccountId> accounts_of(const ImageView& view, DriftKind kind) {
  std::vector<AccountId> accounts;
  for (const DriftView& drift : view.drifts) {
    if (drift.kind == kind) accounts.push_back(drift.account);
  }
  return accounts;
}

std::vector<AccountId> unwanted(const ImageView& view) {
  return view.policy->canary ? std::vector<AccountId>{} : accounts_of(view, DriftKind::unexpected);
}

std::string account_label(const AccountId& account, const ReportInput& input) {
  std::string label{account.str()};
  const std::string_view name = name_of(account, input.account_names);
  if (!name.empty()) label += " (" + clean(name) + ")";
  return label;
}

std::string image_label(const ImageView& view) {
  return view.policy->name.empty() ? view.policy->id.str()
                                   : view.policy->id.str() + " (" + clean(view.policy->name) + ")";
}

std::string cause_of(const Failure& failure) {
  std::string cause{to_string(failure.reason)};
  if (!failure.code.empty()) cause += " (" + failure.code + ")";
  return failure.detail.empty() ? cause : cause + ": " + failure.detail;
}

std::string blindness(const ImageView& view, WallTime now) {
  if (view.listing_complete) {
    const Judgement judgement = judge(view, now);
    return judgement.verdict == Verdict::unknown ? judgement.why : "";
  }
  return view.last_failure ? cause_of(*view.last_failure) : "not read";
}

std::string request_of(const ImageView& view) {
  if (view.listing_complete || !view.last_failure || view.last_failure->request_id.empty()) return "";
  return " [request " + view.last_failure->request_id + "]";
}

void Causes::add(const std::string& text, std::string name, std::string sample) {
  const auto [place, is_new] = places_.try_emplace(text, causes_.size());
  if (is_new) causes_.push_back({text, std::move(sample), {}});
  causes_[place->second].names.push_back(std::move(name));
}

std::string listed_names(const std::vector<std::string>& names, std::size_t most) {
  const std::size_t shown = names.size() > most + 1 ? most : names.size();
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  return shown == names.size() ? out : out + " and " + std::to_string(names.size() - shown) + " more";
}

std::string blind_lines(const ReportInput& input, std::string_view head, std::size_t most,
                        std::string_view what) {
  Causes causes;
  for (const auto& view : input.views) {
    const auto meant = input.meant.find(view->policy->id);
    const std::string hint = meant == input.meant.end() ? "" : " (" + meant->second + ")";
    if (const std::string why = blindness(*view, input.now); !why.empty())
      causes.add(why, image_label(*view) + hint, request_of(*view));
  }
  std::string out;
  for (const Causes::Cause& cause : causes.all()) {
    out.append(head).append(listed_names(cause.names, most)).append(what);
    out.append(": ").append(cause.text).append(cause.sample).append("\n");
  }
  return out;
}

}  // namespace sharedrift
