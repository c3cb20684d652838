#pragma once

#include "app/report.hpp"

#include <cstddef>
#include <limits>
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
/// Why nobody can tell, with the API's own code; empty where somebody can.
std::string blindness(const ImageView& view, WallTime now);
/// For Alibaba Cloud's support, behind blindness().
std::string request_of(const ImageView& view);

inline constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max() - 1;
/// Why nobody can tell, a line for each cause: `head`, up to `most` images and one, `what`, the cause.
std::string blind_lines(const ReportInput& input, std::string_view head, std::size_t most,
                        std::string_view what);

}  // namespace sharedrift
