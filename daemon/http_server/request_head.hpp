#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sharedrift {

/// What is wrong with the head of a request, as far as two readers could take it for two different requests;
/// none: nothing. RFC 9112 leaves some of it to the server: here all of it is refused. `head` ends with an
/// empty line.
std::optional<std::string> fault_of_head(std::string_view head);

/// Where a line ends without CRLF; npos: nowhere.
std::size_t find_bare_line_end(std::string_view text);

/// `GET http://host/path` means `GET /path`, as proxies write it. For a head without a fault, whose Host is
/// the same host.
std::string to_origin_form(std::string_view head);

}  // namespace sharedrift
