#pragma once

#include "core/ids.hpp"
#include "simulator/fault.hpp"
#include "simulator/id_source.hpp"
#include "simulator/world.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sharedrift::simulator {

/// One page asked of DescribeImageSharePermission.
struct PageRequest {
  std::string_view image;
  std::int64_t page = 1;
  std::int64_t size = 10;
  std::optional<std::string_view> only;  ///< filter by account
  // As Behaviour has them:
  std::string_view total_count = "exact";
  std::string_view empty_list = "usual";
  std::string_view row_form = "usual";
};

/// The page as JSON, truthful where no fault says otherwise. `image` may be null: an empty list. The shift
/// fault changes the image.
std::string listing_page(Image* image, const PageRequest& asked, const Effects& effects, IdSource& ids,
                         std::string_view request_id);

}  // namespace sharedrift::simulator
