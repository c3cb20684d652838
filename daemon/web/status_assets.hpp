#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace sharedrift {

/// A file that the status page names.
struct WebAsset {
  std::string_view path;  ///< as a request has it
  std::string_view content_type;
  std::shared_ptr<const std::string> body;
  std::string url;        ///< as the page has it: relative, and another one for another content
  std::string integrity;  ///< of the attribute of that name
};

struct StatusAssets {
  std::string_view page;        ///< with {{names}} of what stands in their places
  std::string_view image_page;  ///< the same
  WebAsset script;
  WebAsset style;
};
const StatusAssets& status_assets();
/// Null if there is none at `path`.
const WebAsset* find_asset(std::string_view path);

/// The policy that the page needs and no more: our own script and style sheet, data of this server.
std::string_view status_page_policy();

/// The runbook of an alert, in Markdown.
std::string_view runbook(std::string_view alert);

}  // namespace sharedrift
