#include "web/event_request.hpp"

#include "core/ids.hpp"
#include "core/number.hpp"
#include "core/text.hpp"

namespace sharedrift {

namespace {

constexpr std::size_t kDefaultEvents = 100;
constexpr std::size_t kMostEvents = 10'000;

/// As Prometheus takes times: RFC 3339 or seconds since 1970.
std::optional<WallTime> parse_moment(std::string_view text) {
  if (const auto time = parse_rfc3339(text)) return time;
  constexpr double kLatest = 253'402'300'800;  // the year 10000
  const auto seconds = parse_number<double>(text);
  if (!seconds || !(*seconds >= 0) || *seconds >= kLatest) return std::nullopt;
  return WallTime{Millis{static_cast<std::int64_t>(*seconds * 1000)}};
}

}  // namespace

Result<EventQuery, std::string> event_query_of(const ServerRequest& request) {
  EventQuery query;
  query.limit = kDefaultEvents;
  for (const auto& [name, value] : request.query) {
    if (name == "image") {
      if (!ImageId::parse(value)) return Err(std::string("image: not an image id"));
      query.image_id = value;
    } else if (name == "since") {
      query.since = parse_moment(value);
      if (!query.since) {
        return Err(
            std::string("since: neither an RFC 3339 time (2026-11-24T09:20:44Z) nor seconds since 1970"));
      }
    } else if (name == "limit") {
      query.limit = parse_number<std::size_t>(value).value_or(0);
      if (query.limit == 0 || query.limit > kMostEvents) {
        return Err("limit: not a number from 1 to " + std::to_string(kMostEvents));
      }
    } else {
      return Err("unknown parameter " + clean(name, 40) + "; there are image, since, limit");
    }
  }
  return query;
}

bool asks_for_many_events(const ServerRequest& request) {
  const auto query = event_query_of(request);
  return query && (query->limit > kDefaultEvents || query->since);
}

}  // namespace sharedrift
