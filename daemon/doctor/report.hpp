#pragma once

#include "doctor/examination.hpp"

#include <set>
#include <string>
#include <string_view>

namespace sharedrift {

/// 0 all as assumed, 1 something differs that the exporter copes with, 3 something makes it blind.
int exit_code(const Examination& found);

/// For people, in 80 columns: a summary, the worst first, and what to do next. `target`: profile and
/// endpoint. `then`: what comes next where nothing needs mending.
std::string doctor_text(const Examination& found, const std::string& target, const std::string& then);

/// JSON for others: no secret, and each id replaced by a stand-in that is the same wherever it occurs.
/// `known`: ids beside those that can be told by their form. `version`: of this program.
std::string doctor_json(const Examination& found, const std::set<std::string>& known,
                        std::string_view version, WallTime now);

}  // namespace sharedrift
