#pragma once

#include "core/result.hpp"
#include "http_server/http_server.hpp"
#include "store/event_reader.hpp"

#include <string>

namespace sharedrift {

/// What a `GET /api/v1/events` asks for. The error is the message of a bad_data answer.
Result<EventQuery, std::string> event_query_of(const ServerRequest& request);

/// It may take a hundred times as long as an image's page, which must not wait for it: of many events, or of
/// all those that are looked through for the few since a moment.
bool asks_for_many_events(const ServerRequest& request);

}  // namespace sharedrift
