#pragma once

#include <string>
#include <string_view>

namespace sharedrift::simulator {

inline constexpr const char* kXmlType = "text/xml;charset=utf-8";

/// JSON as the API's gateways write XML, which is what a caller of the legacy signature gets who does not ask
/// for Format=JSON: `<root>` around one element a member, a list as its element repeated. What is no JSON
/// object comes back as it is.
std::string to_xml(std::string_view json_text, std::string_view root);

}  // namespace sharedrift::simulator
