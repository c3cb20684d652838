#pragma once

#include "core/inventory.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace sharedrift::testing {

inline ImageId image_number(int number) {
  return *ImageId::parse("m-" + std::to_string(number));
}

inline InventoryRow owned(int number, const std::string& name = "") {
  return {image_number(number), name, {}, true};
}

/// The account's images behind offset paging, which may change between any two requests.
class ImageServer {
 public:
  explicit ImageServer(int size) {
    while (next < size)
      images.push_back(next++);
    remember();
  }

  InventoryPage page(int number, int size) {
    if (before) before(*this);
    const auto used = static_cast<std::size_t>(cap > 0 ? std::min(size, cap) : size);
    const std::size_t from = static_cast<std::size_t>(number - 1) * used;
    InventoryPage page;
    for (std::size_t i = from; i < std::min(from + used, images.size()); ++i)
      page.rows.push_back(owned(images[i]));
    if (counted) page.total_count = static_cast<std::int64_t>(images.size());
    if (echoes) page.page_number = number;
    if (tamper) tamper(number, page);
    for (const InventoryRow& row : page.rows)
      returned.insert(row.id);
    ++requests;
    return page;
  }
  void remove(std::size_t index) {
    if (index < images.size()) images.erase(images.begin() + static_cast<std::ptrdiff_t>(index));
    remember();
  }
  void insert_front() {
    images.insert(images.begin(), next++);
    remember();
  }
  /// One goes and another comes: the count stays.
  void swap(std::size_t index) {
    if (index >= images.size()) return;
    images.erase(images.begin() + static_cast<std::ptrdiff_t>(index));
    images.push_back(next++);
    remember();
  }

  std::vector<int> images;
  int next = 0;
  bool counted = true;
  bool echoes = true;
  int cap = 0;  ///< the most rows of a page; 0: as asked
  std::function<void(ImageServer&)> before;
  std::function<void(int number, InventoryPage& page)> tamper;
  std::set<ImageId> returned;  ///< ids of rows that were sent
  std::set<std::set<int>> true_at_some_time;
  std::size_t requests = 0;

 private:
  void remember() { true_at_some_time.emplace(images.begin(), images.end()); }
};

/// Reads the server's images to an end.
inline InventoryListing walk(ImageServer& server, ListingLimits limits = {}) {
  InventoryCollector collector(limits, WallTime{});
  while (!collector.done())
    collector.add(server.page(collector.next_page(), limits.page_size));
  return collector.take();
}

}  // namespace sharedrift::testing
