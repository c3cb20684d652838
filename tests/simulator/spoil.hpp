#pragma once

#include "simulator/answer.hpp"
#include "simulator/fault.hpp"

namespace sharedrift::simulator {

/// The answer of a gateway in front of the API, if a fault of that kind strikes: an HTML page, an empty body,
/// a redirect.
bool answer_early(SimAnswer& answer, const Effects& effects);

/// Applies the faults that concern bytes: gzip, huge, cut, drip, endless, reset.
void spoil(SimAnswer& answer, const Effects& effects);

}  // namespace sharedrift::simulator
