#pragma once

#include "core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace sharedrift::simulator {

/// What was asked and how it was answered.
struct JournalEntry {
  WallTime time{};
  std::string action;  ///< of the API or a name of our own; never foreign text beyond 100 characters
  std::string image;
  std::string key;
  std::string page;
  std::string size;
  int status = 0;
  std::string code;  ///< of a refusal
  std::string request_id;
  std::vector<std::string_view> faults;
};

/// The last thousand requests, and how many there were. Not thread-safe.
class Journal {
 public:
  void add(JournalEntry entry);
  void clear();
  /// The newest `limit` entries, oldest first, and the counts.
  [[nodiscard]] nlohmann::json dump(std::size_t limit) const;

 private:
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;
  static void count(Counts& counts, const std::string& name);

  std::deque<JournalEntry> entries_;
  std::uint64_t total_ = 0;
  Counts by_action_;
  Counts by_key_;
  Counts by_code_;
};

}  // namespace sharedrift::simulator
