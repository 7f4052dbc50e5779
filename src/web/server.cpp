// SPDX-License-Identifier: Apache-2.0
#include "web/server.h"

#include "base/log.h"
#include "base/strings.h"
#include "web/answers.h"
#include "web/api.h"
#include "web/artifact_type.h"
#include "web/assets.h"
#include "web/deck.h"
#include "web/event_feed.h"
#include "web/feed.h"
#include "web/gerrit_checks.h"
#include "web/history_handlers.h"
#include "web/layout.h"
#include "web/pages.h"
#include "web/run_reader.h"

namespace bowsprit::web {
namespace {

using net::Request;
using net::Response;

constexpr std::string_view kPagePolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'";

void add_security_headers(const Request& request, Response& response) {
  const auto add = [&response](std::string name, std::string_view value) {
    if (response.header(name).empty()) response.headers.emplace_back(std::move(name), value);
  };
  add("Content-Security-Policy", kPagePolicy);
  add("X-Content-Type-Options", "nosniff");
  add("X-Frame-Options", "DENY");
  add("Referrer-Policy", "same-origin");
  add("Cross-Origin-Opener-Policy", "same-origin");
  add("Cross-Origin-Resource-Policy", "same-origin");
  add("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
  add("Cache-Control", request.target.starts_with("/static/") ? "public, max-age=31536000, immutable" : "no-cache");
}

Result<store::RunFilter> filter_of(const Request& request) {
  store::RunFilter filter;
  TRY_ASSIGN(const auto change, query_number(request, "change"));
  TRY_ASSIGN(const auto patchset, query_number(request, "patchset"));
  TRY_ASSIGN(const auto before, query_number(request, "before"));
  if (change) filter.change = static_cast<int>(*change);
  if (patchset) filter.patchset = static_cast<int>(*patchset);
  filter.before_id = before.value_or(0);
  TRY_ASSIGN(filter.limit, query_limit(request, 50, 500));
  filter.job = trim(request.query_value("job").value_or(""));
  filter.words = shorten(trim(request.query_value("q").value_or("")), 200);
  filter.author = trim(request.query_value("author").value_or(""));
  filter.verdict = request.query_value("verdict").value_or("");
  const auto state = request.query_value("state").value_or("");
  filter.unfinished = state == "unfinished";
  if (!state.empty() && !filter.unfinished) {
    filter.state = sched::job_state_from_string(state);
    if (!filter.state) return fail(ErrorKind::bad_data, "state: '{}' is none", shorten(printable(state), 60));
  }
  return filter;
}

}  // namespace

struct Server::Impl {
  Impl(Options given, store::Store from, artifact::ObjectStore& objects, Backend& to_backend, Metrics& to_metrics)
      : options(std::move(given)),
        store(std::move(from)),
        backend(to_backend),
        metrics(to_metrics),
        http(options.http),
        reader(store, objects, backend),
        feed(store, http) {
    metrics.describe("bowsprit_http_connections", Metrics::Type::gauge, "Open connections to the web server.");
    metrics.describe("bowsprit_http_event_listeners", Metrics::Type::gauge, "Readers of live events.");
    metrics.describe("bowsprit_http_responses_total", Metrics::Type::counter, "Answers of the web server by status.");
    add_routes();
    http.on_response([this](const Request& request, Response& response) {
      add_security_headers(request, response);
      metrics.add("bowsprit_http_responses_total", {{"status", fmt::to_string(response.status)}});
    });
  }

  void add_routes();
  Result<RunsView> list(const Request& request);
  Result<store::Run> find_run(const Request& request);
  Response serve_file(const Request& request, const std::string& folder);
  Response serve_log(const Request& request);
  Response serve_change(const Request& request);
  Response serve_job(const std::string& name);
  Response serve_feed(const std::string& name);
  Result<std::vector<JobView>> all_jobs();
  Response serve_events(const Request& request);
  Response serve_health();
  Response serve_metrics();
  Response act(const Request& request, bool rerun);
  [[nodiscard]] Result<> may_act(const Request& request) const;

  Options options;
  store::Store store;
  Backend& backend;
  Metrics& metrics;
  net::HttpServer http;
  RunReader reader;
  EventFeed feed;
};

void Server::Impl::add_routes() {
  net::Router& routes = http.routes();
  for (const Asset* asset : {&style_asset(), &script_asset(), &icon_asset()})
    routes.add("GET", asset->url, [asset](const Request&) {
      return Response{.headers = {{"Content-Type", std::string(asset->type)}}, .body = std::string(asset->content)};
    });
  routes.add("GET", "/favicon.ico", [](const Request&) { return Response::redirect(icon_asset().url); });
  routes.add("GET", "/", [this](const Request& request) {
    const auto view = list(request);
    return view ? Response::html(runs_page(*view)) : page_error(view.error());
  });
  routes.add("GET", "/run/{id}", [this](const Request& request) {
    const auto id = number_of("run", request.param("id"));
    const auto view = id ? reader.read(*id, SystemClock::now()) : std::unexpected(id.error());
    return view ? Response::html(run_page(*view)) : page_error(view.error());
  });
  routes.add("GET", "/run/{id}/log", [this](const Request& request) { return serve_log(request); });
  routes.add("GET", "/run/{id}/artifacts/{name...}",
             [this](const Request& request) { return serve_file(request, "artifacts/"); });
  routes.add("GET", "/run/{id}/files/{name...}", [this](const Request& request) { return serve_file(request, ""); });
  routes.add("GET", "/change/{number}", [this](const Request& request) { return serve_change(request); });
  routes.add("GET", "/job/{name}", [this](const Request& request) { return serve_job(request.param("name")); });
  routes.add("GET", "/jobs", [this](const Request&) {
    const auto jobs = all_jobs();
    return jobs ? Response::html(jobs_page(*jobs)) : page_error(jobs.error());
  });
  routes.add("GET", "/api/v1/jobs", [this](const Request&) {
    const auto jobs = all_jobs();
    return jobs ? json_response(jobs_json(*jobs)) : json_error(jobs.error());
  });
  routes.add("GET", "/healthz", [this](const Request&) { return serve_health(); });
  routes.add("GET", "/metrics", [this](const Request&) { return serve_metrics(); });
  routes.add("GET", "/api/v1/runs", [this](const Request& request) {
    const auto view = list(request);
    return view ? json_response(runs_json(*view)) : json_error(view.error());
  });
  routes.add("GET", "/api/v1/runs/{id}", [this](const Request& request) {
    const auto id = number_of("run", request.param("id"));
    const auto view = id ? reader.read(*id, SystemClock::now()) : std::unexpected(id.error());
    return view ? json_response(run_detail_json(*view)) : json_error(view.error());
  });
  add_history_routes(routes, store);
  add_deck_routes(routes, {store, reader, backend, options.public_url});
  add_checks_routes(routes, {store, reader, options.public_url, options.gerrit_url});
  if (options.feeds)
    routes.add("GET", "/job/{name}/feed.atom",
               [this](const Request& request) { return serve_feed(request.param("name")); });
  routes.add("GET", "/api/v1/changes/{number}/decisions", [this](const Request& request) {
    const auto number = number_of("change", request.param("number"));
    const auto decisions = number ? store.decisions(static_cast<int>(*number)) : std::unexpected(number.error());
    return decisions ? json_response(decisions_json(static_cast<int>(*number), *decisions))
                     : json_error(decisions.error());
  });
  routes.add("GET", "/api/v1/events", [this](const Request& request) { return serve_events(request); });
  routes.add("POST", "/api/v1/runs/{id}/rerun", [this](const Request& request) { return act(request, true); });
  routes.add("POST", "/api/v1/runs/{id}/abort", [this](const Request& request) { return act(request, false); });
}

Result<RunsView> Server::Impl::list(const Request& request) {
  RunsView view;
  view.now = SystemClock::now();
  TRY_ASSIGN(view.filter, filter_of(request));
  store::RunFilter one_more = view.filter;  // tells whether there is another page
  ++one_more.limit;
  TRY_ASSIGN(view.runs, store.runs(one_more));
  if (view.runs.size() > static_cast<std::size_t>(view.filter.limit)) {
    view.runs.pop_back();
    view.next_before = view.runs.back().id;
  }
  return view;
}

Result<store::Run> Server::Impl::find_run(const Request& request) {
  TRY_ASSIGN(const auto id, number_of("run", request.param("id")));
  TRY_ASSIGN(auto run, store.run(id));
  if (!run) return fail(ErrorKind::not_found, "there is no run {}", id);
  return std::move(*run);
}

Response Server::Impl::serve_file(const Request& request, const std::string& folder) {
  const std::string name = request.param("name");
  const auto run = find_run(request);
  auto source = run ? reader.file(*run, folder + name) : std::unexpected(run.error());
  if (!source) return page_error(source.error());
  if (options.signed_urls) {
    // Not where it has not gone yet: then it is here.
    if (auto url = reader.signed_url(*run, folder + name, *options.signed_urls))
      return Response::redirect(std::move(*url)).with("Cache-Control", "no-store");
  }
  Response response;
  // The files of an ended run stay as they are.
  if (sched::is_final(run->state))
    response.headers.emplace_back("ETag", fmt::format("\"{}-{}\"", run->id, source->size));
  response.source = std::move(*source);
  return untrusted(std::move(response), name);
}

Response Server::Impl::serve_log(const Request& request) {
  const auto run = find_run(request);
  auto source = run ? reader.log(*run) : std::unexpected(run.error());
  if (!source) return page_error(source.error());
  Response response;
  response.source = std::move(*source);
  return untrusted(std::move(response), "log.txt");
}

Response Server::Impl::serve_change(const Request& request) {
  const auto number = number_of("change", request.param("number"));
  if (!number) return page_error(number.error());
  ChangeView view{.change = static_cast<int>(*number), .now = SystemClock::now()};
  auto runs = store.runs({.change = view.change, .limit = 500});
  if (!runs) return page_error(runs.error());
  auto decisions = store.decisions(view.change);
  if (!decisions) return page_error(decisions.error());
  view.decisions = std::move(*decisions);
  if (runs->empty() && view.decisions.empty())
    return page_error(fail(ErrorKind::not_found, "no run of change {} is known here", *number).error());
  view.runs = std::move(*runs);
  // Newest patch set first; a rerun of an older one may have the newest id.
  std::ranges::stable_sort(view.runs, std::greater{}, &store::Run::patchset);
  return Response::html(change_page(view));
}

Response Server::Impl::serve_job(const std::string& name) {
  auto runs = store.runs({.job = name, .limit = 100});
  if (!runs) return page_error(runs.error());
  if (runs->empty()) return page_error(fail(ErrorKind::not_found, "no run of a job '{}' is known here", name).error());
  return Response::html(job_page({.job = name, .runs = std::move(*runs), .now = SystemClock::now()}));
}

Response Server::Impl::serve_feed(const std::string& name) {
  auto runs = store.runs({.job = name, .limit = 100});
  if (!runs) return page_error(runs.error());
  if (runs->empty()) return page_error(fail(ErrorKind::not_found, "no run of a job '{}' is known here", name).error());
  return {.headers = {{"Content-Type", "application/atom+xml; charset=utf-8"}},
          .body = job_feed({.job = name, .runs = std::move(*runs), .now = SystemClock::now()}, options.public_url)};
}

Result<std::vector<JobView>> Server::Impl::all_jobs() {
  constexpr std::size_t kMaxJobs = 200;
  std::vector<JobView> jobs;
  TRY_ASSIGN(const auto names, store.jobs());
  for (const auto& name : names) {
    if (jobs.size() == kMaxJobs) break;
    TRY_ASSIGN(auto runs, store.runs({.job = name, .limit = 30}));
    jobs.push_back({.job = name, .runs = std::move(runs), .now = SystemClock::now()});
  }
  return jobs;
}

Response Server::Impl::serve_events(const Request& request) {
  const auto run = query_number(request, "run");
  const auto change = query_number(request, "change");
  if (!run) return json_error(run.error());
  if (!change) return json_error(change.error());
  const std::string seen = request.header("Last-Event-ID");
  Response response{.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}};
  response.events = [this, filter = EventFeed::Filter{*run, *change},
                     after = parse_int(seen)](const net::EventStream& stream) { feed.add(stream, filter, after); };
  return response;
}

Response Server::Impl::serve_health() {
  if (const auto alive = store.last_event(); !alive) return Response::text(503, alive.error().text() + "\n");
  if (const auto trouble = backend.trouble()) return Response::text(503, *trouble + "\n");
  return Response::text(200, "ok\n");
}

Response Server::Impl::serve_metrics() {
  backend.update_metrics();
  metrics.set("bowsprit_http_connections", static_cast<double>(http.connections()));
  metrics.set("bowsprit_http_event_listeners", static_cast<double>(feed.listeners()));
  Response response = Response::text(200, metrics.text());
  response.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}};
  return response;
}

/// A header that only somebody with the token can set: a page elsewhere can make a browser send a form here, but not
/// this header.
Result<> Server::Impl::may_act(const Request& request) const {
  if (options.token.empty())
    return fail(ErrorKind::denied, "rerun and abort by HTTP are off: the server has no token configured");
  constexpr std::string_view kBearer = "Bearer ";
  const std::string header = request.header("Authorization");
  // Hashes are compared, so the time tells nothing about the token.
  const bool right =
      header.starts_with(kBearer) && sha256_hex(header.substr(kBearer.size())) == sha256_hex(options.token.reveal());
  if (!right) return fail(ErrorKind::denied, "the header \"Authorization: Bearer TOKEN\" is missing or wrong");
  return {};
}

Response Server::Impl::act(const Request& request, bool rerun) {
  if (const auto allowed = may_act(request); !allowed) return json_error(allowed.error());
  const auto id = number_of("run", request.param("id"));
  if (!id) return json_error(id.error());
  if (!rerun) {
    const auto done = backend.abort(*id);
    return done ? json_response({{"aborted", *id}}) : json_error(done.error());
  }
  const auto started = backend.rerun(*id);
  return started ? json_response({{"run", *started}, {"page", fmt::format("/run/{}", *started)}})
                 : json_error(started.error());
}

Server::Server(Options options, store::Store store, artifact::ObjectStore& objects, Backend& backend, Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(store), objects, backend, metrics)) {}
Server::~Server() { stop(); }
Result<int> Server::start() {
  TRY_ASSIGN(const int port, impl_->http.start());
  // Told to the handlers' thread; an answer before that has no absolute links.
  if (impl_->options.public_url.empty())
    impl_->http.post([impl = impl_.get(), port] {
      impl->options.public_url = fmt::format("http://{}:{}", impl->options.http.address, port);
    });
  return port;
}
void Server::stop() { impl_->http.stop(); }

}  // namespace bowsprit::web
