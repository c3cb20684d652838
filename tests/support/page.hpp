#pragma once

#include "metrics/exposition.hpp"

#include <string>

namespace sharedrift::testing {

/// The page as it goes over the wire.
inline std::string page_of(Exposition& exposition, TextFormat format,
                           Encoding encoding = Encoding::identity) {
  std::string whole;
  for (const auto& piece : exposition.page(format, encoding).pieces)
    whole += *piece;
  return whole;
}

}  // namespace sharedrift::testing
