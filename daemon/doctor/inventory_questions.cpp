#include "core/text.hpp"
#include "doctor/questions.hpp"

#include <array>

/// Questions about the inventory, DescribeSelfImages.
namespace sharedrift {

namespace {

constexpr const char* kInventory = "DescribeSelfImages";
constexpr std::array<std::int64_t, 2> kSmallPages{50, 10};  // what DescribeImages takes; the default

const std::vector<JsonValue>& images_of(const JsonValue& root) {
  static const std::vector<JsonValue> none;
  const JsonValue* images = root.find("Images");
  if (images != nullptr && !images->is(JsonValue::Kind::array)) images = images->find("Image");
  return images == nullptr ? none : images->items;
}

DoctorAnswer ask_inventory_count(DoctorSession& /*session*/, DoctorFacts& facts) {
  const JsonValue* told = facts.inventory.root().find("TotalCount");
  const std::string type{type_of(told)};
  facts.behaviour["inventory_total_count"] = type == "text" || type == "number";
  if (type == "text") return {Standing::as_assumed, "text"};
  if (type == "number") return {Standing::differs, "a number", "none: it is read as well"};
  return {Standing::differs, told == nullptr ? "there is none" : "it is " + type,
          "the inventory is read twice, and both readings must agree"};
}

/// How many rows a page has at most that came where `asked` were asked for; none: the list is too short to
/// tell. Where the answer does not say it, the next page does: there is none behind a list that has ended.
std::optional<std::int64_t> page_used(DoctorSession& session, const JsonValue& root, std::int64_t asked) {
  if (const auto told = number_in(root, "PageSize")) return *told;
  const auto rows = static_cast<std::int64_t>(rows_of_inventory(root));
  if (rows >= asked) return asked;
  const DoctorReply next = number_in(root, "TotalCount").value_or(rows + 1) > rows
                               ? ask_inventory(session, asked, 2)
                               : DoctorReply{};
  if (!next.good() || rows_of_inventory(next.root()) == 0) return std::nullopt;
  return rows;
}

DoctorAnswer ask_inventory_page(DoctorSession& session, DoctorFacts& facts) {
  if (facts.inventory_page < kDoctorPage) {
    facts.behaviour["inventory_page_cap"] = facts.inventory_page;
    facts.behaviour["inventory_page_cut"] = false;
    return {Standing::differs, "100 is refused, " + std::to_string(facts.inventory_page) + " is taken",
            "the inventory takes more requests"};
  }
  constexpr std::int64_t kLarge = 1'000;
  const auto used = page_used(session, facts.inventory.root(), kDoctorPage);
  if (used && *used < kDoctorPage) {
    facts.behaviour["inventory_page_cap"] = *used;
    facts.behaviour["inventory_page_cut"] = true;
    return {Standing::differs, "100 is cut to " + std::to_string(*used), "the inventory takes more requests"};
  }
  const DoctorReply reply = ask_inventory(session, kLarge);
  if (reply.broken) return not_asked(reply);
  if (reply.error) {
    facts.behaviour["inventory_page_cap"] = kDoctorPage;
    facts.behaviour["inventory_page_cut"] = false;
    return {Standing::as_assumed, "100 is taken, 1000 is refused with " + reply.error->failure.code};
  }
  const auto large = page_used(session, reply.root(), kLarge);
  if (!large || *large >= kLarge) return {Standing::as_assumed, "100 is taken, and 1000 is taken as well"};
  facts.behaviour["inventory_page_cap"] = *large;
  facts.behaviour["inventory_page_cut"] = true;
  return {Standing::as_assumed, "100 is taken, 1000 is cut to " + std::to_string(*large)};
}

DoctorAnswer ask_inventory_filter(DoctorSession& session, DoctorFacts& facts) {
  const std::vector<std::string> owned = own_images(facts.inventory.root());
  if (owned.empty()) return {Standing::not_seen, "the account owns no image"};
  const std::string part = owned.front().substr(0, owned.front().size() - 1);
  const DoctorReply reply = ask_inventory_for(session, part, facts.inventory_page);
  if (!reply.good()) return not_asked(reply);
  const bool exact = own_images(reply.root()).empty();
  facts.behaviour["inventory_exact_filter"] = exact;
  if (!exact) return {Standing::as_assumed, "a part of an id finds the image"};
  return {Standing::differs, "only the whole id finds an image",
          "none: the inventory is read whole, without it"};
}

/// Mainland regions and Singapore are two sites with an endpoint each.
bool is_mainland(std::string_view region) {
  return region.starts_with("cn-") && region != "cn-hongkong";
}

DoctorAnswer ask_other_region(DoctorSession& session, DoctorFacts& facts) {
  bool mainland = false;
  bool other = false;
  std::string regions;
  for (const JsonValue& row : images_of(facts.inventory.root())) {
    const std::string region = clean(row.string("RegionId"), 40);
    if (region.empty()) continue;
    (is_mainland(region) ? mainland : other) = true;
    if (regions.find(region) == regions.npos) regions += (regions.empty() ? "" : ", ") + region;
  }
  if (regions.empty()) return {Standing::not_seen, "no image of the inventory tells its region"};
  const bool singapore = session.profile().endpoint.find("ap-southeast-1") != std::string::npos;
  const bool foreign = singapore ? mainland : other;
  facts.behaviour["inventory_regions"] = mainland && other ? "both"
                                         : other           ? "ap-southeast-1"
                                                           : "cn-hangzhou";
  if (!foreign) return {Standing::as_assumed, "it lists images of " + regions};
  return {Standing::differs, "it lists images of " + regions,
          "none, but an image may be watched by two profiles: its inventory is one for each endpoint"};
}

constexpr std::array kInventoryQuestions{
    DoctorQuestion{"TotalCount of the inventory", "it is there, as text", ask_inventory_count,
                   &DoctorFacts::inventory},
    DoctorQuestion{"PageSize of the inventory", "100 is taken", ask_inventory_page, &DoctorFacts::inventory},
    DoctorQuestion{"ImageId of the inventory", "a part of the id is enough", ask_inventory_filter,
                   &DoctorFacts::inventory},
    DoctorQuestion{"images of the other region", "each endpoint lists its own", ask_other_region,
                   &DoctorFacts::inventory},
};

}  // namespace

std::span<const DoctorQuestion> inventory_questions() {
  return kInventoryQuestions;
}

DoctorReply ask_inventory(DoctorSession& session, std::int64_t page_size, int page) {
  return session.ask_ens(kInventory,
                         {{"PageNumber", std::to_string(page)}, {"PageSize", std::to_string(page_size)}});
}

DoctorReply ask_first_images(DoctorSession& session, std::int64_t& page_size) {
  DoctorReply first = ask_inventory(session, page_size);
  if (!first.error || !first.error->failure.code.starts_with("InvalidParameter")) return first;
  for (const std::int64_t size : kSmallPages) {
    DoctorReply smaller = ask_inventory(session, size);
    if (!smaller.good()) continue;
    page_size = size;
    return smaller;
  }
  return first;
}

DoctorReply ask_inventory_for(DoctorSession& session, const std::string& image, std::int64_t page_size) {
  return session.ask_ens(kInventory,
                         {{"ImageId", image}, {"PageNumber", "1"}, {"PageSize", std::to_string(page_size)}});
}

std::size_t rows_of_inventory(const JsonValue& root) {
  return images_of(root).size();
}

bool goes_on(const JsonValue& root) {
  const auto rows = static_cast<std::int64_t>(rows_of_inventory(root));
  return rows > 0 && number_in(root, "TotalCount").value_or(rows + 1) > rows;
}

std::vector<std::string> own_images(const JsonValue& root) {
  std::vector<std::string> ids;
  for (const JsonValue& row : images_of(root)) {
    if (!row.string("ImageId").empty() && row.string("ImageOwnerAlias") != "others")
      ids.emplace_back(row.string("ImageId"));
  }
  return ids;
}

}  // namespace sharedrift
