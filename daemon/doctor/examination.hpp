#pragma once

#include "config/config.hpp"
#include "doctor/questions.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace sharedrift {

/// One assumption that the exporter makes, and how it stands.
struct Diagnosis {
  std::string name;
  std::string assumed;
  DoctorAnswer answer;
};

/// What meeting a profile's API showed.
// NOLINTNEXTLINE(bugprone-exception-escape): a move of nlohmann's json checks its invariants
struct Examination {
  std::vector<Diagnosis> diagnoses;  ///< in the order in which things fail
  nlohmann::ordered_json behaviour;  ///< as ens-simulator's scenarios say it
  int requests = 0;
};

/// Looks at everything in the order in which things fail: credentials, the way to the API, clock, identity,
/// rights; then at what the documentation leaves open. What is out of reach is said to be not seen. `image`:
/// which one to ask about; empty: those of the config that the account owns, else those that it owns.
Examination examine(const Config& config, const std::string& image, DoctorSession& session,
                    const std::stop_token& stop);

}  // namespace sharedrift
