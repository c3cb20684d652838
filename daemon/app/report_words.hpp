#pragma once

#include "app/report.hpp"

#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What several reports say in the same words.
namespace sharedrift {

std::vector<AccountId> accounts_of(const ImageView& view, DriftKind kind);
/// What must be taken away: of a canary, nothing.
std::vector<AccountId> unwanted(const ImageView& view);
std::string account_label(const AccountId& account, const ReportInput& input);
std::string image_label(const ImageView& view);
/// `reason (API's code): detail`.
std::string cause_of(const Failure& failure);
/// Why nobody can tell, with the API's own code; empty where somebody can.
std::string blindness(const ImageView& view, WallTime now);
/// For Alibaba Cloud's support, behind blindness().
std::string request_of(const ImageView& view);

/// Why things went wrong: each cause once, with all that it struck, in the order in which they came.
class Causes {
 public:
  struct Cause {
    std::string text;
    std::string sample;  ///< of the first: what differs from one to the next, such as a request id
    std::vector<std::string> names;
  };

  void add(const std::string& text, std::string name, std::string sample = {});
  [[nodiscard]] const std::vector<Cause>& all() const { return causes_; }

 private:
  std::vector<Cause> causes_;
  std::map<std::string, std::size_t> places_;
};

/// `a, b and c`; of more than `most` and one so many, and how many more there are.
std::string listed_names(const std::vector<std::string>& names, std::size_t most);

inline constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max() - 1;
/// Why nobody can tell, a line for each cause: `head`, up to `most` images and one, `what`, the cause.
std::string blind_lines(const ReportInput& input, std::string_view head, std::size_t most,
                        std::string_view what);

}  // namespace sharedrift
