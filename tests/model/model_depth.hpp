#pragma once

namespace sharedrift::testing {

/// How many steps the histories of the model checks have; `--depth=N` on the command line.
int model_depth();

}  // namespace sharedrift::testing
