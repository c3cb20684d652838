#include "app/causes.hpp"

#include <utility>

namespace sharedrift {

void Causes::add(const std::string& text, std::string name, std::string sample) {
  const auto [place, is_new] = places_.try_emplace(text, causes_.size());
  if (is_new) causes_.push_back({text, std::move(sample), {}});
  causes_[place->second].names.push_back(std::move(name));
}

std::string cause_of(const Failure& failure) {
  std::string cause{to_string(failure.reason)};
  if (!failure.code.empty()) cause += " (" + failure.code + ")";
  return failure.detail.empty() ? cause : cause + ": " + failure.detail;
}

std::string listed_names(const std::vector<std::string>& names, std::size_t most) {
  const std::size_t shown = names.size() > most + 1 ? most : names.size();
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  return shown == names.size() ? out : out + " and " + std::to_string(names.size() - shown) + " more";
}

}  // namespace sharedrift
