#pragma once

#include "app/cli.hpp"
#include "app/output.hpp"

#include <string>
#include <vector>

namespace sharedrift {

/// The events as people read them: how many and how bad in one line, then a row for each, oldest first. On a
/// screen, sentences are folded within their column. In the history `of_image` those that name no image are
/// marked.
std::string history_table(const std::vector<Event>& events, const Screen& screen, bool of_image = false);

/// The command `history`: prints what the state database holds; its exit code.
int history(const Options& options);

}  // namespace sharedrift
