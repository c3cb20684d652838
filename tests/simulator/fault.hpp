#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace sharedrift::simulator {

/// What can go wrong on purpose. The first group happens before anything is looked at, the second refuses a
/// properly signed request, the third falsifies a share listing, the last spoils the bytes of any answer.
enum class FaultKind : std::uint8_t {
  latency,
  clock_skew,
  html,
  empty_body,
  redirect,
  reset,
  throttle,
  error,
  server_error,
  total_count,
  total_form,
  shift,
  repeat_page,
  echo,
  small_pages,
  accounts,
  rows,
  garbage_rows,
  duplicate_keys,
  bad_text,
  deep,
  lying_empty,
  hide,
  code_on_success,
  inventory_shift,
  trailing_tab,
  error_body,
  gzip,
  huge,
  cut,
  drip,
  endless,
};

/// Where a fault strikes; an empty member matches everything.
struct FaultScope {
  std::string image;
  std::string action;
  std::string key;
};

/// One injected fault. Every parameter of its kind is there, with its default if it was not given.
struct Fault {
  std::uint64_t id = 0;
  FaultKind kind = FaultKind::latency;
  FaultScope scope;
  std::optional<std::uint64_t> remaining;  ///< requests still to strike; none: until cleared
  std::uint64_t hits = 0;
  MonoTime window{};           ///< throttle with per_second: the second being counted ...
  std::int64_t in_window = 0;  ///< ... and the requests in it
  std::map<std::string, std::int64_t, std::less<>> numbers;
  std::map<std::string, std::string, std::less<>> texts;

  [[nodiscard]] std::int64_t number(std::string_view name) const { return numbers.find(name)->second; }
  [[nodiscard]] const std::string& text(std::string_view name) const { return texts.find(name)->second; }
};

std::string_view name_of(FaultKind kind);

/// The faults that strike one request. They stay valid although the board forgets them.
class Effects {
 public:
  void add(std::shared_ptr<const Fault> fault) { faults_.push_back(std::move(fault)); }
  /// The last one of that kind that was injected; nullptr if none.
  [[nodiscard]] const Fault* find(FaultKind kind) const;
  [[nodiscard]] const std::vector<std::shared_ptr<const Fault>>& all() const { return faults_; }
  [[nodiscard]] bool empty() const { return faults_.empty(); }

 private:
  std::vector<std::shared_ptr<const Fault>> faults_;
};

/// All faults in force. Not thread-safe.
class FaultBoard {
 public:
  /// {"kind", "image"?, "action"?, "key"?, "count"?, parameters of the kind...}. The id, or what is wrong.
  Result<std::uint64_t, std::string> add(const nlohmann::json& spec);
  /// Removes by id, or by kind, or (neither) all; how many went.
  std::size_t clear(std::optional<std::uint64_t> id, std::optional<FaultKind> kind);
  /// The faults that strike a request; counts down those with a count. Listing faults strike only
  /// DescribeImageSharePermission, those of the inventory only DescribeSelfImages.
  Effects strike(std::string_view image, std::string_view action, std::string_view key, MonoTime now);
  [[nodiscard]] nlohmann::json dump() const;
  /// Every kind with its parameters, ranges and defaults: the reference for people.
  static nlohmann::json kinds();

 private:
  std::vector<std::shared_ptr<Fault>> faults_;
  std::uint64_t next_id_ = 1;
};

std::optional<FaultKind> parse_fault_kind(std::string_view name);

}  // namespace sharedrift::simulator
