#include "app/web_routes.hpp"

#include "app/status_page.hpp"
#include "app/web_json.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sharedrift {

namespace {

constexpr std::size_t kMostEvents = 10'000;

ServerResponse json(int status, std::string body) {
  ServerResponse response = ServerResponse::text(status, std::move(body));
  response.content_type = "application/json";
  return response;
}

ServerResponse bad_data(const std::string& message) {
  return json(400, json_error("bad_data", message));
}

ServerResponse not_allowed(const std::string& allow) {
  ServerResponse response = ServerResponse::text(405, "This path takes " + allow + ".\n");
  response.headers.emplace_back("Allow", allow);
  return response;
}

/// What a list header's member says: `name;q=0.5` in lower case, q 1 if it is not there or cannot be read.
struct Preference {
  std::string name;
  std::string parameters;
  double q = 1;
};

std::vector<Preference> parse_preferences(std::string_view header) {
  std::vector<Preference> out;
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    std::string item{trim(header.substr(0, comma))};
    header.remove_prefix(std::min(comma + 1, header.size()));
    std::erase(item, ' ');
    std::transform(item.begin(), item.end(), item.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    Preference preference;
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    preference.name = item.substr(0, semicolon);
    preference.parameters = item.substr(semicolon) + ";";
    if (const std::size_t q = preference.parameters.find(";q="); q != std::string::npos) {
      const char* begin = preference.parameters.data() + q + 3;
      double value = 1;
      if (std::from_chars(begin, preference.parameters.data() + preference.parameters.size(), value).ec ==
          std::errc{}) {
        preference.q = value;
      }
    }
    if (!preference.name.empty()) out.push_back(std::move(preference));
  }
  return out;
}

bool is_read(const ServerRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

}  // namespace

TextFormat negotiate_format(std::string_view accept) {
  double open_metrics = 0;
  double text = 0;
  for (const Preference& wanted : parse_preferences(accept)) {
    const bool version_fits = wanted.parameters.find(";version=") == std::string::npos ||
                              wanted.parameters.find(";version=1.0.0;") != std::string::npos;
    if (wanted.name == "application/openmetrics-text" && version_fits)
      open_metrics = std::max(open_metrics, wanted.q);
    if (wanted.name == "text/plain") text = std::max(text, wanted.q);
  }
  return open_metrics > 0 && open_metrics >= text ? TextFormat::openmetrics : TextFormat::prometheus;
}

bool accepts_gzip(std::string_view accept_encoding) {
  double any = 0;
  std::optional<double> gzip;
  for (const Preference& wanted : parse_preferences(accept_encoding)) {
    if (wanted.name == "gzip" || wanted.name == "x-gzip") gzip = wanted.q;
    if (wanted.name == "*") any = wanted.q;
  }
  return gzip.value_or(any) > 0;
}

ServerResponse WebRoutes::answer(const ServerRequest& request) {
  Answer made = route(request);
  made.response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  backend_.count(made.path, made.response.status);
  return std::move(made.response);
}

WebRoutes::Answer WebRoutes::route(const ServerRequest& request) {
  const std::string& path = request.path;
  if (path == "/-/reload") {
    if (request.method != "POST") return {not_allowed("POST"), "/-/reload"};
    return {reload(), "/-/reload"};
  }
  std::string_view label = "other";
  const std::array<std::string_view, 5> plain{"/", "/-/healthy", "/-/ready", "/config", "/metrics"};
  const bool is_metrics = path == options_.telemetry_path;
  const auto* known = std::find(plain.begin(), plain.end(),
                                is_metrics ? std::string_view{"/metrics"} : std::string_view{path});
  const bool found = is_metrics || (known != plain.end() && *known != "/metrics");
  if (found) label = *known;
  const bool is_api = path.starts_with("/api/v1/");
  if (!found && !is_api) return {ServerResponse::text(404, "Not found.\n"), "other"};
  if (!is_read(request)) return {not_allowed("GET, HEAD"), label};
  if (is_api) {
    ServerResponse response = api(request, label);
    return {std::move(response), label};
  }
  if (is_metrics) return {metrics(request), label};
  if (label == "/-/healthy") return {ServerResponse::text(200, "Healthy.\n"), label};
  if (label == "/-/ready") {
    return backend_.ready()
               ? Answer{ServerResponse::text(200, "Ready.\n"), label}
               : Answer{ServerResponse::text(503, "Not every image was attempted yet, or stopping.\n"),
                        label};
  }
  if (label == "/config") return {ServerResponse::text(200, backend_.config()), label};
  ServerResponse page = ServerResponse::text(200, status_page(backend_.fleet(), backend_.now()));
  page.content_type = "text/html; charset=utf-8";
  page.headers.emplace_back("Content-Security-Policy", "default-src 'none'");
  return {std::move(page), label};
}

ServerResponse WebRoutes::metrics(const ServerRequest& request) {
  struct Slot {  // given back however this ends
    explicit Slot(std::atomic<int>& counter) : scrapes(counter), now(++counter) {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() { --scrapes; }
    std::atomic<int>& scrapes;
    int now;
  } const slot(scrapes_);
  if (options_.max_requests > 0 && slot.now > options_.max_requests) {
    return ServerResponse::text(503, "Too many scrapes at a time; see --web.max-requests.\n");
  }
  const TextFormat format = negotiate_format(request.header("accept"));
  const bool gzip = accepts_gzip(request.header("accept-encoding"));
  MetricsPage page = backend_.metrics(format, gzip ? Encoding::gzip : Encoding::identity);
  ServerResponse response;
  response.content_type = content_type(format);
  response.headers.emplace_back("Vary", "Accept, Accept-Encoding");
  if (gzip) response.headers.emplace_back("Content-Encoding", "gzip");
  response.tail = std::move(page.pieces);
  return response;
}

ServerResponse WebRoutes::reload() const {
  if (!options_.enable_lifecycle) {
    return ServerResponse::text(
        403, "Reloading by HTTP is off; start with --web.enable-lifecycle, or send SIGHUP.\n");
  }
  const auto verdict = backend_.reload();
  if (!verdict) {
    return ServerResponse::text(
        500, "The new configuration was refused; the old one stays in force.\n" + verdict.error());
  }
  return ServerResponse::text(200, "The new configuration is in force.\n");
}

ServerResponse WebRoutes::api(const ServerRequest& request, std::string_view& label) const {
  const std::string& path = request.path;
  constexpr std::string_view kImage = "/api/v1/images/";
  if (path == "/api/v1/images") {
    label = "/api/v1/images";
    return json(200, json_success(json_images(backend_.fleet())));
  }
  if (path.starts_with(kImage)) {
    label = "/api/v1/images/ID";
    const Fleet fleet = backend_.fleet();
    const std::string id = path.substr(kImage.size());
    const auto view = std::find_if(fleet.views.begin(), fleet.views.end(),
                                   [&id](const ViewPtr& v) { return v->policy->id.str() == id; });
    if (view == fleet.views.end())
      return json(404, json_error("not_found", "no such image is watched: " + clean(id)));
    return json(200, json_success(json_image(**view, *fleet.account_names)));
  }
  if (path == "/api/v1/drift") {
    label = "/api/v1/drift";
    return json(200, json_success(json_drift(backend_.fleet())));
  }
  if (path == "/api/v1/events") {
    label = "/api/v1/events";
    return api_events(request);
  }
  return json(404, json_error("not_found", "no such resource"));
}

ServerResponse WebRoutes::api_events(const ServerRequest& request) const {
  EventsWanted wanted;
  for (const auto& [name, value] : request.query) {
    if (name == "image") {
      if (!ImageId::parse(value)) return bad_data("image: not an image id");
      wanted.image_id = value;
    } else if (name == "since") {
      wanted.since = parse_rfc3339(value);
      if (!wanted.since) return bad_data("since: not an RFC 3339 time, e.g. 2026-11-24T09:20:44Z");
    } else if (name == "limit") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), wanted.limit);
      if (error != std::errc{} || end != value.data() + value.size() || wanted.limit == 0 ||
          wanted.limit > kMostEvents) {
        return bad_data("limit: a number from 1 to " + std::to_string(kMostEvents));
      }
    } else {
      return bad_data("unknown parameter " + clean(name, 40) + "; known are image, since, limit");
    }
  }
  const auto events = backend_.events(wanted);
  if (!events) return json(503, json_error("unavailable", events.error()));
  return json(200, json_success(json_events(*events)));
}

}  // namespace sharedrift
