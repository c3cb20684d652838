#pragma once

#include "core/ids.hpp"
#include "core/view.hpp"
#include "metrics/metric_table.hpp"

#include <bitset>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sharedrift {

using ViewPtr = std::shared_ptr<const ImageView>;
using AccountNames = std::map<AccountId, std::string>;
/// A set of the families of images.
using ImageMetrics = std::bitset<kImageMetricCount>;

/// Series with an account id in one family, all images together: whoever shares an image with ten thousand
/// accounts moves a gauge to ten thousand and no more.
inline constexpr std::size_t kMaxAccountSeries = 200;

/// The families to which two views of one image contribute different lines.
ImageMetrics differing(const ImageView& a, const ImageView& b);

/// True for the few families whose lines depend on all images together. The lines of the others may be made
/// for some images after the other.
bool is_of_whole_fleet(Metric family);

/// Appends the sample lines of one family, without its head: image by image in the order of `views`, account
/// series oldest first. The only place that turns views into samples.
void append_image_family(std::string& out, Metric family, const std::vector<ViewPtr>& views,
                         const AccountNames& names);

}  // namespace sharedrift
