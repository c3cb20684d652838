#pragma once

#include "core/failure.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace sharedrift {

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

/// `reason (API's code): detail`.
std::string cause_of(const Failure& failure);

/// `a, b and c`; of more than `most` and one so many, and how many more there are.
std::string listed_names(const std::vector<std::string>& names, std::size_t most);

}  // namespace sharedrift
