#pragma once

#include "doctor/session.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace sharedrift {

/// How many rows the exporter asks for.
inline constexpr std::int64_t kDoctorPage = 100;

/// How an assumption stands; the worst first.
enum class Standing : std::uint8_t { blind, differs, not_seen, as_assumed };

/// What came of looking at an assumption.
struct DoctorAnswer {
  Standing standing = Standing::not_seen;
  std::string seen;
  std::string consequence{};  ///< what the exporter does because of it; empty where all is as assumed
  std::string cure{};         ///< what a person should do; empty: nothing
};

/// What was learnt on the way: a question reads what those before it left.
struct DoctorFacts {
  std::vector<std::string> images;  ///< that may be asked about, in this order
  std::string image;  ///< of them the one that questions are asked about: with rows, if there is such a one
  DoctorReply inventory;                      ///< its first page
  std::int64_t inventory_page = kDoctorPage;  ///< rows a page: fewer where so many are refused
  DoctorReply listing;                        ///< the first page of `image`, 100 a page
  DoctorReply empty;                          ///< of another image, that nobody shares
  DoctorReply failed;                         ///< of another image, that could not be listed
  DoctorReply unknown;                        ///< of an id that nobody has
  /// How the API behaves, as ens-simulator's scenarios say it.
  nlohmann::ordered_json behaviour = nlohmann::ordered_json::object();
};

/// What the exporter assumes of the API, and how that is looked at. Each asks five times at most, most of
/// them once, and reads only.
struct DoctorQuestion {
  std::string_view name;
  std::string_view assumed;
  DoctorAnswer (*ask)(DoctorSession& session, DoctorFacts& facts);
  DoctorReply DoctorFacts::*needs = nullptr;  ///< it is asked only if this one is good; null: always
};

/// The rights, then what the API's documentation leaves open about shares and signatures; in this order.
std::span<const DoctorQuestion> doctor_questions();
/// And about the inventory; after the others.
std::span<const DoctorQuestion> inventory_questions();

// What several questions need.
inline constexpr const char* kReportIt = "report it, with the file that doctor --report writes";
/// "1 row", "2 rows".
std::string counted(std::size_t count, std::string_view what);
/// Not seen, since what it hangs on went wrong, which is told elsewhere.
DoctorAnswer not_asked(const DoctorReply& before);
/// A member that is a number, also in quotes.
std::optional<std::int64_t> number_in(const JsonValue& root, std::string_view name);
/// "text", "number" or "nothing": how a member is written.
std::string_view type_of(const JsonValue* value);

/// DescribeSelfImages, one page of it.
DoctorReply ask_inventory(DoctorSession& session, std::int64_t page_size, int page = 1);

/// Its first page, of as many rows as the exporter gets: smaller pages are tried where a size is refused.
DoctorReply ask_first_images(DoctorSession& session, std::int64_t& page_size);

/// The same, of images whose id is like `image`.
DoctorReply ask_inventory_for(DoctorSession& session, const std::string& image, std::int64_t page_size);
/// Whether a page of the inventory may not be all that there is: it says more, or does not say.
bool goes_on(const JsonValue& root);
/// How many images a page of it holds, others' too.
std::size_t rows_of_inventory(const JsonValue& root);

/// The ids in a page of the inventory that belong to the account itself.
std::vector<std::string> own_images(const JsonValue& root);

}  // namespace sharedrift
