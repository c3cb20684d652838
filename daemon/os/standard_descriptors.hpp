#pragma once

namespace sharedrift {

/// Takes those of the descriptors 0 to 2 that are closed, so that no file or socket opened later becomes the
/// standard input, the report or the log. Reads from such a 0 and writes to such a 1 or 2 still fail, as they
/// did before: a report that nobody can read must not count as written. False if /dev/null cannot be opened.
/// Call it before anything else.
bool take_standard_descriptors();

}  // namespace sharedrift
