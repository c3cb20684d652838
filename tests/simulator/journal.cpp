#include "simulator/journal.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace sharedrift::simulator {

namespace {
constexpr std::size_t kMaxEntries = 1'000;
constexpr std::size_t kMaxNames = 1'000;  // so that made-up names cannot grow the counts for ever
}  // namespace

void Journal::count(Counts& counts, const std::string& name) {
  const bool known = counts.size() < kMaxNames || counts.contains(name);
  ++counts[known ? name : "(other)"];
}

void Journal::add(JournalEntry entry) {
  ++total_;
  count(by_action_, entry.action);
  if (!entry.key.empty()) count(by_key_, entry.key);
  count(by_code_, entry.code.empty() ? std::to_string(entry.status) : entry.code);
  if (entries_.size() >= kMaxEntries) entries_.pop_front();
  entries_.push_back(std::move(entry));
}

void Journal::clear() {
  *this = Journal{};
}

nlohmann::json Journal::dump(std::size_t limit) const {
  using nlohmann::json;
  json list = json::array();
  const std::size_t first = entries_.size() - std::min(limit, entries_.size());
  for (std::size_t i = first; i < entries_.size(); ++i) {
    const JournalEntry& e = entries_[i];
    list.push_back({{"time", format_rfc3339(e.time)},
                    {"action", e.action},
                    {"image", e.image},
                    {"key", e.key},
                    {"page", e.page},
                    {"page_size", e.size},
                    {"status", e.status},
                    {"code", e.code},
                    {"request_id", e.request_id},
                    {"faults", e.faults}});
  }
  return {{"total", total_},
          {"by_action", by_action_},
          {"by_key", by_key_},
          {"by_code", by_code_},
          {"requests", std::move(list)}};
}

}  // namespace sharedrift::simulator
