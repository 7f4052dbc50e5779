// SPDX-License-Identifier: Apache-2.0
#include "app/server.h"

#include <signal.h>

#include <thread>

#include "app/artifacts.h"
#include "app/engine.h"
#include "app/gatekeeper.h"
#include "app/job_table.h"
#include "app/server_parts.h"
#include "app/warm_jobs.h"
#include "app/web_backend.h"
#include "base/log.h"
#include "base/strings.h"
#include "exec/local/local_executor.h"
#include "gerrit/event_stream.h"
#include "os/files.h"

namespace bowsprit::app {
namespace {

/// The watcher's list, with how far an earlier process came.
Result<std::vector<Watcher::Project>> projects_of(const ServerConfig& config, store::Store& store) {
  std::vector<Watcher::Project> out;
  for (const auto& repo : config.repos) {
    TRY_ASSIGN(const auto position, store.poll_position(config.gerrit.url, repo.project));
    TRY_ASSIGN(const auto start, store.poll_start(config.gerrit.url, repo.project));
    out.push_back({repo.project, position, start});
  }
  return out;
}

gerrit::StreamOptions stream_options(const ServerConfig& config) {
  const auto& stream = *config.gerrit.stream_events;
  gerrit::StreamOptions options;
  options.host = stream.host;
  options.port = stream.port;
  options.user = stream.user.empty() ? config.gerrit.user : stream.user;
  options.key_file = stream.key_file;
  options.known_hosts = stream.known_hosts;
  return options;
}

/// "master" of "refs/heads/master", or of itself, as older Gerrits write it; empty where it is no branch.
std::string branch_of(const std::string& ref) {
  constexpr std::string_view kHeads = "refs/heads/";
  if (ref.starts_with(kHeads)) return ref.substr(kHeads.size());
  return ref.starts_with("refs/") ? std::string() : ref;
}

Result<net::ServerOptions> http_options(const WebConfig& config) {
  const auto colon = config.listen.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_int(config.listen.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535)
    return fail(ErrorKind::bad_config, "web.listen: expected ADDRESS:PORT, got '{}'", config.listen);
  net::ServerOptions options;
  options.address = config.listen.substr(0, colon);
  options.port = static_cast<int>(*port);
  return options;
}

}  // namespace

Result<> serve(const ServeOptions& options) {
  const ServerConfig& config = options.config;
  // Before the first thread, so that signals come to this one alone.
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  TRY_ASSIGN(const Fd lock, lock_state(config.state));
  TRY_ASSIGN(auto jobs, JobTable::load(config));
  TRY_ASSIGN(auto store, store::Store::open(config.state / "bowsprit.db"));
  TRY_ASSIGN(const auto artifacts, open_artifacts(config));
  TRY_ASSIGN(const auto client, client_options(config.gerrit));
  TRY_ASSIGN(auto executor, exec::LocalExecutor::create(local_options(config, client)));
  TRY_ASSIGN(auto projects, projects_of(config, store));

  Metrics metrics;
  describe_metrics(metrics);
  Engine* engine_for_reports = nullptr;
  Reporter reporter(client, [&](Posted posted) { engine_for_reports->post(std::move(posted)); });
  Engine engine({.gerrit = config.gerrit.url,
                 .default_label = config.label,
                 .runs = config.state / "runs",
                 .artifacts_url = artifacts.url,
                 .history_age = std::chrono::days(config.history_days),
                 .who = config.who(),
                 .timeouts = config.timeouts,
                 .keep = config.keep},
                {store, *executor, *artifacts.store, *artifacts.here, *jobs,
                 [&](store::Report report) { reporter.submit(std::move(report)); }, metrics});
  engine_for_reports = &engine;
  WebBackend backend(engine, metrics, config.gerrit.poll_interval, artifacts.spool);
  TRY_ASSIGN(const auto http, http_options(config.web));
  TRY_ASSIGN(auto web_store, store::Store::open(config.state / "bowsprit.db"));
  Secret token;
  if (!config.web.token_file.empty()) {
    TRY_ASSIGN(const auto text, read_file(config.web.token_file, 4096));
    token = Secret(std::string(trim(text)));
  }
  std::optional<seconds> signed_urls;
  if (const auto lifetime = config.artifacts.signed_urls) signed_urls = std::chrono::ceil<seconds>(*lifetime);
  web::Server web({.http = http,
                   .token = std::move(token),
                   .public_url = config.web.public_url,
                   .gerrit_url = config.gerrit.url,
                   .feeds = config.web.feeds,
                   .signed_urls = signed_urls},
                  std::move(web_store), *artifacts.store, backend, metrics);
  TRY_ASSIGN(const int port, web.start());
  const std::string own_url = fmt::format("http://{}:{}", http.address, port);
  engine.set_public_url(config.web.public_url.empty() ? own_url : config.web.public_url);
  if (!options.port_file.empty()) TRY(write_file_atomic(options.port_file, std::to_string(port) + "\n"));
  log_info("serve", "pages at {}", own_url);

  Result<> ended;
  std::atomic<bool> engine_runs{true};
  std::thread engine_thread([&] {
    ended = engine.run();
    engine_runs = false;
  });
  const auto keep_warm = [&] {
    executor->keep_warm(warm_requests(config, [&](const std::string& project) { return jobs->jobs_for(project); }));
  };
  keep_warm();
  {
    Watcher watcher({.client = client,
                     .interval = config.gerrit.poll_interval,
                     .triggers = config.triggers,
                     .projects = std::move(projects)},
                    [&](Polled polled) {
                      for (const auto& change : polled.changes)
                        if (change.status == "MERGED") executor->branch_moved(change.project, change.branch);
                      engine.post(std::move(polled));
                    });
    backend.set_watcher(&watcher);
    std::unique_ptr<gerrit::EventStream> stream;
    if (config.gerrit.stream_events)
      stream = std::make_unique<gerrit::EventStream>(stream_options(config), [&](const gerrit::Event& event) {
        if (event.project.empty() || config.has_project(event.project)) watcher.wake(event.project);
        if (const auto branch = branch_of(event.ref); event.type == "ref-updated" && !branch.empty())
          executor->branch_moved(event.project, branch);
      });
    log_info("serve", "watching {} for {} project{}", config.gerrit.url, config.repos.size(),
             config.repos.size() == 1 ? "" : "s");
    while (engine_runs) {
      const timespec pause{1, 0};
      const int signal = ::sigtimedwait(&signals, nullptr, &pause);
      if (signal == SIGINT || signal == SIGTERM) break;
      if (!jobs->reload_if_changed()) continue;
      watcher.wake({});
      keep_warm();
    }
    log_info("serve", "ending");
    backend.set_watcher(nullptr);
  }
  artifacts.store->cancel();  // a store that does not answer holds nobody up now
  web.stop();
  engine.post(Stop{});
  engine_thread.join();
  executor.reset();  // ends what still runs, before the engine that observes it goes
  return ended;
}

}  // namespace bowsprit::app
