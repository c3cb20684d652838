#include "web/web_routes.hpp"

#include "core/text.hpp"
#include "metrics/negotiation.hpp"
#include "web/event_request.hpp"
#include "web/image_page.hpp"
#include "web/origin_check.hpp"
#include "web/status_assets.hpp"
#include "web/status_page.hpp"
#include "web/web_json.hpp"

#include <algorithm>

namespace sharedrift {

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kImagePrefix = "/api/v1/images/";
constexpr std::string_view kImagePagePrefix = "/images/";
// Labels of kHttpPaths that stand for more than the path of that name.
constexpr std::string_view kTelemetry = "/metrics";
constexpr std::string_view kAnImage = "/api/v1/images/ID";
constexpr std::string_view kAnImagePage = "/images/ID";
constexpr std::string_view kAnAsset = "other";
constexpr std::string_view kEvents = "/api/v1/events";

/// The server would send both.
void set_header(Headers& headers, std::string name, std::string value) {
  std::erase_if(headers, [&name](const auto& header) { return equal_but_for_case(header.first, name); });
  headers.emplace_back(std::move(name), std::move(value));
}

/// What is asked for again and did not change is not sent again.
ServerResponse send(const ServerRequest& request, std::string_view content_type,
                    const std::shared_ptr<const AnswerBody>& body) {
  ServerResponse response;
  response.content_type = content_type;
  response.headers = {{"Cache-Control", "no-cache"}, {"Vary", "Accept-Encoding"}, {"ETag", body->tag}};
  const std::string_view known = request.header("if-none-match");
  if (known == "*" || known.find(std::string_view(body->tag).substr(2)) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  for (const auto& piece : body->pieces)
    response.tail.emplace_back(body, piece.get());
  if (body->zipped) response.headers.emplace_back("Content-Encoding", "gzip");
  return response;
}

bool takes_gzip(const ServerRequest& request) {
  return negotiate_encoding(request.header("accept-encoding")) == Encoding::gzip;
}

/// Made for this request alone.
template <class Write>
ServerResponse answer_with(const ServerRequest& request, std::string_view content_type, Write write) {
  AnswerWriter out(takes_gzip(request));
  write(out);
  return send(request, content_type, std::make_shared<const AnswerBody>(out.finish()));
}

constexpr std::string_view kJson = "application/json";

ServerResponse json_failure(int status, std::string_view type, std::string_view message) {
  ServerResponse response = ServerResponse::text(status, json_error(type, message));
  response.content_type = kJson;
  return response;
}

/// A page for people trusts nothing but itself, and nobody may frame it.
ServerResponse guarded(ServerResponse page) {
  page.headers.emplace_back("Content-Security-Policy", status_page_policy());
  page.headers.emplace_back("X-Frame-Options", "deny");
  page.headers.emplace_back("Referrer-Policy", "no-referrer");
  page.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  page.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  return page;
}

/// Null if the image is not watched.
ViewPtr find_view(const Fleet& fleet, std::string_view id) {
  const auto view = std::find_if(fleet.views.begin(), fleet.views.end(),
                                 [id](const ViewPtr& v) { return v->policy->id.str() == id; });
  return view == fleet.views.end() ? nullptr : *view;
}

}  // namespace

const std::array<WebRoutes::Route, 13> WebRoutes::routes{{
    {kTelemetry, "GET", &WebRoutes::metrics, Needs::login, Lane::quick},
    {"/", "GET", &WebRoutes::page, Needs::login, Lane::large},
    {kAnImagePage, "GET", &WebRoutes::image_page_of, Needs::login, Lane::slow},
    {"/config", "GET", &WebRoutes::config, Needs::login, Lane::large},
    {"/api/v1/images", "GET", &WebRoutes::images, Needs::login, Lane::large},
    {kAnImage, "GET", &WebRoutes::image, Needs::login, Lane::slow},
    {"/api/v1/drift", "GET", &WebRoutes::drift, Needs::login, Lane::large},
    {kEvents, "GET", &WebRoutes::events, Needs::login, Lane::slow},
    {kAnAsset, "GET", &WebRoutes::asset, Needs::login, Lane::quick},
    {"/-/healthy", "GET", &WebRoutes::healthy, Needs::nothing, Lane::quick},
    {"/-/ready", "GET", &WebRoutes::ready, Needs::nothing, Lane::quick},
    {"/-/reload", "POST", &WebRoutes::reload, Needs::login, Lane::slow},
    {"/-/poll", "POST", &WebRoutes::poll, Needs::login, Lane::slow},
}};

WebRoutes::WebRoutes(WebBackend backend, WebOptions options)
    : backend_(std::move(backend)), options_(std::move(options)), shared_(backend_.now) {}

ServerResponse WebRoutes::answer(const ServerRequest& request) {
  const std::string& prefix = options_.route_prefix;
  if (prefix.empty()) return answer_inside(request);
  ServerRequest inside = request;
  inside.path = request.path.starts_with(prefix + "/") ? request.path.substr(prefix.size()) : "";
  ServerResponse response = answer_inside(inside);
  const bool is_entrance = response.status == 404 && (request.path == "/" || request.path == prefix);
  if (!is_entrance) return response;
  response = ServerResponse::text(302, "");
  // Relative: whoever stands in between may have another prefix.
  response.headers.emplace_back("Location",
                                prefix.substr(request.path == "/" ? 1 : prefix.rfind('/') + 1) + "/");
  return response;
}

ServerResponse WebRoutes::answer_inside(const ServerRequest& request) {
  const auto* route = std::find_if(routes.begin(), routes.end(),
                                   [&](const Route& known) { return leads_to(known, request.path); });
  Route used = route == routes.end() ? Route{"other", "", nullptr, Needs::login, Lane::quick} : *route;
  if (used.label == kEvents && asks_for_many_events(request)) used.lane = Lane::large;
  std::optional<ServerResponse> refusal = refuse_foreign(request, options_.external_url);
  if (!refusal && used.needs != Needs::nothing && backend_.refuse) refusal = backend_.refuse(request);
  constexpr int kTooFast = 429;  // said to who is let in only
  const bool knew_password = request.lane == Lane::password && (!refusal || refusal->status == kTooFast);
  if (!refusal && used.lane != Lane::quick && request.lane != used.lane && is_for(used, request))
    refusal = ServerResponse::in(used.lane, used.lane == Lane::large ? request.path : "");
  ServerResponse response = refusal ? std::move(*refusal) : dispatch(used, request);
  response.knew_password = knew_password;
  if (response.later) return response;
  set_header(response.headers, "X-Content-Type-Options", "nosniff");
  if (backend_.headers) {
    for (auto& [name, value] : backend_.headers())
      set_header(response.headers, std::move(name), std::move(value));
  }
  if (backend_.count) backend_.count(used.label, response.status);
  return response;
}

bool WebRoutes::leads_to(const Route& route, std::string_view path) const {
  if (route.label == kTelemetry) return path == options_.telemetry_path;
  if (route.label == kAnImage) return path.starts_with(kImagePrefix);
  if (route.label == kAnImagePage) return path.starts_with(kImagePagePrefix);
  if (route.label == kAnAsset) return find_asset(path) != nullptr;
  return path == route.label;
}

bool WebRoutes::is_for(const Route& route, const ServerRequest& request) {
  return request.method == route.method || (request.method == "HEAD" && route.method == "GET");
}

ServerResponse WebRoutes::dispatch(const Route& route, const ServerRequest& request) {
  if (route.handler == nullptr) return not_found(request);
  if (is_for(route, request)) return (this->*route.handler)(request);
  const std::string allowed = route.method == "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
  ServerResponse response = request.method == "OPTIONS"
                                ? ServerResponse::text(204, "")
                                : ServerResponse::text(405, "This path takes " + allowed + ".\n");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

ServerResponse WebRoutes::healthy(const ServerRequest& /*request*/) {
  return ServerResponse::text(200, "Healthy.\n");
}

ServerResponse WebRoutes::ready(const ServerRequest& /*request*/) {
  if (backend_.ready()) return ServerResponse::text(200, "Ready.\n");
  return ServerResponse::text(503, "Not ready: not every image was polled yet, or stopping.\n");
}

std::optional<ServerResponse> WebRoutes::refuse_lifecycle(const ServerRequest& request,
                                                          const std::string& instead) const {
  if (!options_.enable_lifecycle)
    return ServerResponse::text(403, "This is off. Start with --web.enable-lifecycle" + instead + ".\n");
  // A browser says so when another site's page sends it here.
  const std::string_view site = request.header("sec-fetch-site");
  if (site.empty() || site == "same-origin" || site == "none") return std::nullopt;
  return ServerResponse::text(403, "Not from another site.\n");
}

/// An event may cause a look, never a verdict: what is found is told by the poll that follows.
ServerResponse WebRoutes::poll(const ServerRequest& request) {
  if (auto refusal = refuse_lifecycle(request, "")) return std::move(*refusal);
  const auto id = request.query.size() == 1 ? request.parameter("image") : std::nullopt;
  const auto image = id ? ImageId::parse(*id) : std::nullopt;
  if (!image) return ServerResponse::text(400, "Say which: ?image=ID\n");
  const ViewPtr view = find_view(backend_.fleet(), image->str());
  if (view == nullptr || view->unwatched_since)
    return ServerResponse::text(404, "No image with the id " + image->str() + " is watched.\n");
  backend_.poll(*image);
  return ServerResponse::text(202, "Image " + image->str() + " is polled soon.\n");
}

ServerResponse WebRoutes::reload(const ServerRequest& request) {
  if (auto refusal = refuse_lifecycle(request, ", or send SIGHUP")) return std::move(*refusal);
  const auto verdict = backend_.reload();
  if (verdict) return ServerResponse::text(200, "The new configuration is in force.\n");
  return ServerResponse::text(
      500, "The new configuration was refused; the old one stays in force.\n" + verdict.error() + "\n");
}

ServerResponse WebRoutes::metrics(const ServerRequest& request) {
  const TextFormat format = negotiate_format(request.header("accept"));
  const Encoding encoding = negotiate_encoding(request.header("accept-encoding"));
  ServerResponse response;
  response.content_type = content_type(format);
  response.headers.emplace_back("Vary", "Accept, Accept-Encoding");
  if (encoding == Encoding::gzip) response.headers.emplace_back("Content-Encoding", "gzip");
  response.tail = backend_.metrics(format, encoding).pieces;
  return response;
}

ServerResponse WebRoutes::shared_answer(const ServerRequest& request, std::string_view content_type,
                                        const std::function<void(AnswerWriter&)>& write) {
  const bool zip = takes_gzip(request);
  return send(request, content_type, shared_.get(request.path + (zip ? " gzip" : ""), [&] {
    AnswerWriter out(zip);
    write(out);
    return out.finish();
  }));
}

ServerResponse WebRoutes::config(const ServerRequest& request) {
  return shared_answer(request, "text/plain; charset=utf-8",
                       [this](AnswerWriter& out) { out.text() += backend_.config(); });
}

ServerResponse WebRoutes::page(const ServerRequest& request) {
  ServerResponse response = shared_answer(request, "text/html; charset=utf-8", [this](AnswerWriter& out) {
    write_status_page(
        out, backend_.fleet(),
        {backend_.now(), options_.telemetry_path, backend_.health ? backend_.health() : OwnHealth{}});
  });
  return guarded(std::move(response));
}

ServerResponse WebRoutes::image_page_of(const ServerRequest& request) {
  constexpr std::size_t kShownEvents = 50;
  constexpr std::size_t kShownReasons = 20;
  const std::string id = request.path.substr(kImagePagePrefix.size());
  const Fleet fleet = backend_.fleet();
  const ViewPtr view = find_view(fleet, id);
  if (view == nullptr)
    return ServerResponse::text(404, "No image with the id " + clean(id) + " is watched.\n");
  const EventQuery query{id, {}, kShownEvents, kShownReasons, view->policy->profile};
  return guarded(answer_with(request, "text/html; charset=utf-8", [&](AnswerWriter& out) {
    out.text() += image_page({*view, *fleet.account_names, backend_.now(),
                              backend_.endpoints ? backend_.endpoints() : Endpoints{}, backend_.events(query),
                              profile_fails(fleet.views, view->policy->profile, backend_.now())});
  }));
}

ServerResponse WebRoutes::asset(const ServerRequest& request) {
  const WebAsset* asset = find_asset(request.path);
  ServerResponse response;
  response.content_type = asset->content_type;
  response.body = asset->body;
  // The page names its assets with their hash.
  response.headers = {{"Cache-Control", "private, max-age=31536000, immutable"},
                      {"Cross-Origin-Resource-Policy", "same-origin"}};
  return response;
}

ServerResponse WebRoutes::images(const ServerRequest& request) {
  return shared_answer(request, kJson,
                       [this](AnswerWriter& out) { write_images(out, backend_.fleet(), backend_.now()); });
}

ServerResponse WebRoutes::image(const ServerRequest& request) {
  const std::string_view id = std::string_view(request.path).substr(kImagePrefix.size());
  const Fleet fleet = backend_.fleet();
  const ViewPtr view = find_view(fleet, id);
  if (view == nullptr) {
    return json_failure(404, "not_found", "no image with the id " + clean(id) + " is watched");
  }
  return answer_with(request, kJson, [&](AnswerWriter& out) {
    write_image(out, *view, *fleet.account_names, backend_.now());
  });
}

ServerResponse WebRoutes::drift(const ServerRequest& request) {
  return shared_answer(request, kJson, [this](AnswerWriter& out) { write_drift(out, backend_.fleet()); });
}

ServerResponse WebRoutes::events(const ServerRequest& request) {
  const auto query = event_query_of(request);
  if (!query) return json_failure(400, "bad_data", query.error());
  const auto events = backend_.events(*query);
  if (!events) return json_failure(503, "unavailable", events.error());
  return answer_with(request, kJson, [&events](AnswerWriter& out) { write_events(out, *events); });
}

ServerResponse WebRoutes::not_found(const ServerRequest& request) {
  if (request.path.starts_with("/api/")) return json_failure(404, "not_found", "no such resource");
  return ServerResponse::text(404, "Not found.\n");
}

}  // namespace sharedrift
