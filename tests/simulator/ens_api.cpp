#include "core/text.hpp"
#include "simulator/api.hpp"
#include "simulator/json_args.hpp"
#include "simulator/listing.hpp"

#include <algorithm>
#include <limits>

namespace sharedrift::simulator {

namespace {

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLargestPage = 100;  // of a share listing

/// A paging parameter: absent means `fallback`, anything but an integer from 1 to `max` is refused.
Result<std::int64_t, ApiError> paging(const Call& call, std::string_view name, std::int64_t max,
                                      std::int64_t fallback) {
  const auto text = call.parameter(name);
  if (!text) return fallback;
  const auto value = parse_integer(*text, 1, max);
  if (!value) return invalid(name);
  return *value;
}

/// The mandatory ImageId, well-formed.
Result<std::string, ApiError> image_id(const Call& call) {
  const auto text = call.parameter("ImageId");
  if (!text) return Err(api_error("MissingParameter"));
  if (!ImageId::parse(*text)) return invalid("ImageId");
  return std::string(*text);
}

/// The caller's own image; nullptr for what is unknown or someone else's.
Image* own_image(ApiContext& context, std::string_view id) {
  Image* image = context.world.find_image(id);
  return image != nullptr && image->owner == context.caller->account ? image : nullptr;
}

bool is_shared_to(const Image& image, std::string_view account) {
  return std::any_of(image.shared.begin(), image.shared.end(),
                     [account](const AccountId& id) { return id.str() == account; });
}

struct Inventory {
  std::string images;  ///< JSON objects, joined by commas
  std::int64_t total = 0;
};

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, value);
}

std::string image_json(const Image& image, bool own, std::string_view region) {
  std::string out = "{\"ImageId\":";
  append_json_string(out, image.id);
  append_member(out, "ImageName", image.name.empty() ? image.id : image.name);
  append_member(out, "ImageOwnerAlias", own ? "self" : "others");
  append_member(out, "Status", image.status);
  append_member(out, "CreationTime", format_api_time(image.created));
  return out +
         R"(,"Architecture":"x86_64","Platform":"centos","OsVersion":"7.9","ImageSize":"20",)"
         R"("ComputeType":"ens_vm","InstanceId":"","SnapshotId":"","RegionId":")" +
         std::string(region) +
         R"(","ImageStorageSize":"5368709120","DiskDeviceMappings":{"DiskDeviceMapping":[]}})";
}

/// The images the caller can see that pass the request's filters, one page of them.
Inventory inventory_page(ApiContext& context, std::int64_t page, std::int64_t size, bool exact) {
  const auto by_id = context.call.parameter("ImageId");
  const auto by_name = context.call.parameter("ImageName");
  const auto by_owner = context.call.parameter("ImageOwnerAlias");
  const std::string& account = context.caller->account;
  const std::int64_t from = page - 1 > kHuge / size ? kHuge : (page - 1) * size;
  const std::string& regions = context.world.behaviour.inventory_regions;
  const auto region_of = [&regions](std::int64_t index) -> std::string_view {
    if (regions != "both") return regions;
    return index % 2 == 0 ? "cn-hangzhou" : "ap-southeast-1";
  };
  Inventory out;
  const auto consider = [&](const Image& image) {
    const bool own = image.owner == account;
    if (!own && !is_shared_to(image, account)) return;
    if (by_name && image.name.find(*by_name) == std::string::npos) return;
    if (by_owner && *by_owner != (own ? "self" : "others")) return;
    const std::int64_t index = out.total++;
    if (index < from || index - from >= size) return;
    out.images.append(out.images.empty() ? "" : ",").append(image_json(image, own, region_of(index)));
  };
  if (by_id && exact) {
    if (const Image* image = context.world.find_image(*by_id)) consider(*image);
    return out;
  }
  for (const auto& [id, image] : context.world.images()) {
    if (!by_id || id.find(*by_id) != std::string::npos) consider(image);
  }
  return out;
}

/// The images move between two pages: the first of the caller's goes, or one comes before or behind all.
void shift_images(ApiContext& context, const std::string& change) {
  World& world = context.world;
  const std::string number = std::to_string(context.ids.next());
  if (change != "insert") {
    const auto first =
        std::find_if(world.images().begin(), world.images().end(),
                     [&context](const auto& entry) { return entry.second.owner == context.caller->account; });
    if (first != world.images().end()) static_cast<void>(world.delete_image(std::string(first->first)));
  }
  if (change == "delete") return;
  Image image;
  image.id = (change == "insert" ? "0-shift-" : "z-shift-") + number;
  image.owner = context.caller->account;
  image.created = context.now;
  static_cast<void>(world.create_image(std::move(image)));
}

std::string inventory_json(const ApiContext& context, const Inventory& inventory, std::int64_t page,
                           std::int64_t size, bool numbers_as_text, bool counted = true) {
  const std::string quote = numbers_as_text ? "\"" : "";
  const auto number = [&quote](std::int64_t n) { return quote + std::to_string(n) + quote; };
  std::string out = "{\"Code\":0,\"RequestId\":\"" + context.request_id + "\"";
  if (counted) {
    out += ",\"TotalCount\":" + number(inventory.total) + ",\"PageNumber\":" + number(page);
    out += ",\"PageSize\":" + number(size);
  }
  out += ",\"Images\":{\"Image\":[" + inventory.images + "]}}";
  return out;
}

}  // namespace

ApiResult describe_image_share_permission(ApiContext& context) {
  SD_TRY(id, image_id(context.call));
  SD_TRY(page, paging(context.call, "PageNumber", kHuge, 1));
  const Behaviour& behaviour = context.world.behaviour;
  SD_TRY(large,
         paging(context.call, "PageSize", behaviour.large_page == "refused" ? kLargestPage : kHuge, 10));
  const std::int64_t size = behaviour.large_page == "cut" ? std::min(large, kLargestPage) : large;
  const auto account = context.call.parameter("AliyunId");
  if (account && !parse_integer(*account, 0, kHuge)) return invalid("AliyunId");
  Image* image = own_image(context, id);
  if (image == nullptr && behaviour.unknown_image != "empty") {
    return Err(api_error(behaviour.unknown_image));
  }
  PageRequest asked{.image = id, .page = page, .size = size};
  asked.total_count = behaviour.total_count;
  asked.empty_list = behaviour.empty_list;
  asked.row_form = behaviour.row_form;
  if (behaviour.filter_by_aliyun_id) asked.only = account;
  return listing_page(image, asked, context.effects, context.ids, context.request_id);
}

ApiResult describe_self_images(ApiContext& context) {
  SD_TRY(page, paging(context.call, "PageNumber", kHuge, 1));
  const Behaviour& behaviour = context.world.behaviour;
  const std::int64_t cap = behaviour.inventory_page_cap;
  SD_TRY(asked, paging(context.call, "PageSize", behaviour.inventory_page_cut ? kHuge : cap, 10));
  const std::int64_t size = std::min(asked, cap);
  const Inventory found = inventory_page(context, page, size, behaviour.inventory_exact_filter);
  const Fault* shift = context.effects.find(FaultKind::inventory_shift);
  if (shift != nullptr && page <= found.total / size && page * size < found.total)
    shift_images(context, shift->text("change"));
  return inventory_json(context, found, page, size, true, behaviour.inventory_total_count);
}

ApiResult describe_images(ApiContext& context) {
  SD_TRY(page, paging(context.call, "PageNumber", kHuge, 1));
  SD_TRY(size, paging(context.call, "PageSize", 50, 10));
  return inventory_json(context, inventory_page(context, page, size, true), page, size, false);
}

ApiResult modify_image_share_permission(ApiContext& context) {
  SD_TRY(id, image_id(context.call));
  const auto add = context.call.parameter("AddAccounts");
  const auto remove = context.call.parameter("RemoveAccounts");
  if (!add && !remove) return Err(api_error("MissingParameter"));
  if (own_image(context, id) == nullptr) return invalid("ImageId");
  std::vector<std::string> added;
  if (add) {
    for (const std::string_view account : split(*add, ','))
      added.emplace_back(account);
    const bool usable = std::all_of(added.begin(), added.end(),
                                    [](const auto& a) { return AccountId::parse(a).has_value(); });
    if (!usable) return invalid("AddAccounts");
  }
  if (remove && !AccountId::parse(*remove)) return invalid("RemoveAccounts");  // one account, no list
  if (add && !context.world.share(id, added)) return Err(api_error("ens.interface.error"));
  if (remove && !context.world.unshare(id, {std::string(*remove)})) {
    return Err(api_error("ens.interface.error"));
  }
  return "{\"RequestId\":\"" + context.request_id + "\"}";
}

}  // namespace sharedrift::simulator
