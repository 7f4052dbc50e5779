// SPDX-License-Identifier: Apache-2.0
#include "web/deck.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "web/answers.h"
#include "web/artifact_type.h"
#include "web/html.h"
#include "yaml/node.h"

namespace bowsprit::web {
namespace {

using net::Request;
using net::Response;
using sched::JobState;

std::string value_of(const Request& request, std::string_view name) { return request.query_value(name).value_or(""); }

Response plain_error(const Error& error) {
  const Response json = json_error(error);
  return Response::text(json.status, error.text() + "\n");
}

/// JSON, or with "var" a script that sets that variable.
Response script_or_json(const Request& request, const Json& json) {
  const std::string name = value_of(request, "var");
  if (name.empty()) return Response::json(200, dump_json(json));
  const auto part_of_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
  };
  // Deck writes any text here; a name can't be a program.
  if (name.size() > 100 || !std::ranges::all_of(name, part_of_name) || (name[0] >= '0' && name[0] <= '9'))
    return Response::text(400, "var: expected the name of a variable\n");
  return {.headers = {{"Content-Type", "application/javascript"}},
          .body = fmt::format("var {} = {};", name, dump_json(json))};
}

/// The pod without what is in its containers: whoever counts them still can.
Json empty_containers(const Json& pod_spec) {
  Json containers = Json::array();
  for (std::size_t i = 0; i < json_get(pod_spec, "containers").size(); ++i)
    containers.push_back({{"name", ""}, {"resources", Json::object()}});
  return {{"containers", std::move(containers)}};
}

class Deck {
 public:
  explicit Deck(DeckParts parts) : parts_(parts) {}

  Result<std::vector<store::Run>> runs(const Request& request) const {
    TRY_ASSIGN(const int limit, query_limit(request, 300, 1000));
    TRY_ASSIGN(const auto before, query_number(request, "before"));
    return parts_.store.runs({.before_id = before.value_or(0), .limit = limit});
  }

  Result<Json> prow_job(const store::Run& run) const {
    TRY_ASSIGN(Json job, parts_.backend.prow_job(run));
    if (!parts_.public_url.empty()) job["status"]["url"] = fmt::format("{}/run/{}", parts_.public_url, run.id);
    return job;
  }

  Result<Json> prow_jobs(const Request& request) const {
    const auto words = split(value_of(request, "omit"), ',');
    const std::set<std::string> omit(words.begin(), words.end());
    const auto wanted = [&](std::string_view name, std::string_view value) {
      const auto asked = value_of(request, name);
      return asked.empty() || asked == value;
    };
    Json items = Json::array();
    TRY_ASSIGN(const auto all, runs(request));
    for (const auto& run : all) {
      if (!wanted("org", run.gerrit) || !wanted("repo", run.project) || !wanted("owner", run.author)) continue;
      auto job = prow_job(run);
      if (!job) continue;  // its stored job is broken; the list of all others is worth more than an error
      if (omit.contains("annotations")) (*job)["metadata"].erase("annotations");
      if (omit.contains("labels")) (*job)["metadata"].erase("labels");
      if (omit.contains("decoration_config")) (*job)["spec"].erase("decoration_config");
      if (omit.contains("pod_spec") && !json_get(json_get(*job, "spec"), "pod_spec").is_null())
        (*job)["spec"]["pod_spec"] = empty_containers(json_get(json_get(*job, "spec"), "pod_spec"));
      items.push_back(std::move(*job));
    }
    return Json{{"items", std::move(items)}};
  }

  Result<Json> data(const Request& request) const {
    Json list = Json::array();
    TRY_ASSIGN(const auto all, runs(request));
    for (const auto& run : all) {
      const auto job = prow_job(run);
      if (!job) continue;
      const Json& spec = json_get(*job, "spec");
      const auto started = run.started.value_or(run.created);
      const std::string base = run.base_sha.empty() ? run.branch : run.branch + ":" + run.base_sha;
      list.push_back(
          {{"type", json_string(spec, "type")},
           {"refs", json_get(spec, "refs")},
           {"refs_key", fmt::format("{},{}:{}:{}", base, run.change, run.revision, run.ref)},
           {"job", run.job},
           {"build_id", fmt::to_string(run.id)},
           {"context", json_string(spec, "context")},
           {"started", fmt::to_string(unix_seconds(started))},
           {"finished", run.finished ? rfc3339(*run.finished) : ""},
           {"duration",
            run.finished ? format_duration(std::chrono::duration_cast<seconds>(*run.finished - started)) : ""},
           {"state", sched::to_string(run.state)},
           {"description", run.description},
           {"url", json_string(json_get(*job, "status"), "url")},
           {"pod_name", ""},
           {"agent", json_string(spec, "agent")},
           {"prow_job", run.prow_job_id}});
    }
    return list;
  }

  Response badge(const Request& request) const {
    const auto patterns = split(value_of(request, "jobs"), ',');
    if (patterns == std::vector<std::string>{""}) return Response::text(400, "missing jobs query parameter\n");
    const auto names = parts_.store.jobs();
    if (!names) return plain_error(names.error());
    std::vector<store::Run> latest;
    for (const auto& name : *names) {
      // As Go's path.Match, a star takes no slash.
      const auto fits = [&](const std::string& glob) {
        return ::fnmatch(glob.c_str(), name.c_str(), FNM_PATHNAME) == 0;
      };
      if (!std::ranges::any_of(patterns, fits)) continue;
      auto runs = parts_.store.runs({.job = name, .limit = 50});
      if (!runs) return plain_error(runs.error());
      const auto last = std::ranges::find_if(
          *runs, [](const store::Run& run) { return sched::is_final(run.state) && run.state != JobState::aborted; });
      if (last != runs->end()) latest.push_back(std::move(*last));
    }
    return draw(badge_of(latest));
  }

  Response log(const Request& request) const {
    for (const std::string_view name : {"job", "id"})
      if (value_of(request, name).empty())
        return Response::text(400, fmt::format("request did not provide the '{}' query parameter\n", name));
    const auto run = run_of(value_of(request, "job"), value_of(request, "id"));
    auto source = run ? parts_.reader.log(*run) : std::unexpected(run.error());
    if (!source) return Response::text(404, "Log not found: " + source.error().text() + "\n");
    Response response;
    response.headers.emplace_back("Access-Control-Allow-Origin", "*");
    response.source = std::move(*source);
    return untrusted(std::move(response), "log.txt");
  }

  /// ".../pr-logs/pull/HOST_PROJECT/CHANGE/JOB/ID" below any bucket, and Deck's short "prowjob/JOB/ID".
  Response view(const Request& request) const {
    std::string path = request.param("path");
    while (path.ends_with('/')) path.pop_back();
    const auto parts = split(path, '/');
    const auto run = parts.size() < 2 ? fail(ErrorKind::not_found, "'{}' names no run", shorten(printable(path), 200))
                                      : run_of(parts[parts.size() - 2], parts.back());
    if (!run) return page_error(run.error());
    const auto pulls = path.find("pr-logs/");
    if (pulls != std::string::npos && !run->artifacts.empty() && path.substr(pulls) != run->artifacts)
      return page_error(
          fail(ErrorKind::not_found, "run {} is another one than '{}'", run->id, shorten(printable(path), 200))
              .error());
    return Response::redirect(fmt::format("/run/{}", run->id));
  }

  Response prow_job_yaml(const Request& request) const {
    const std::string name = value_of(request, "prowjob");
    if (name.empty()) return Response::text(400, "request did not provide the 'prowjob' query parameter\n");
    const auto run = parts_.store.run_of_prow_job(name);
    if (!run) return plain_error(run.error());
    if (!*run) return Response::text(404, "ProwJob not found: " + shorten(printable(name), 100) + "\n");
    const auto job = prow_job(**run);
    return job ? Response::text(200, yaml::to_yaml(*job)) : plain_error(job.error());
  }

 private:
  Result<store::Run> run_of(const std::string& job, const std::string& id) const {
    TRY_ASSIGN(const auto number, number_of("id", id));
    TRY_ASSIGN(auto run, parts_.store.run(number));
    if (!run || run->job != job)
      return fail(ErrorKind::not_found, "there is no run {} of a job '{}'", number, shorten(printable(job), 100));
    return std::move(*run);
  }

  static Response draw(const Badge& badge) {
    constexpr std::string_view kSubject = "build";
    // Half of DejaVu Sans' widest common letters at 11 px; there is no font here to ask.
    const auto width = [](std::string_view text) { return 13 + 7 * static_cast<int>(text.size()); };
    const int left = width(kSubject);
    const int right = width(badge.words);
    const Markup svg = markup(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"20\" role=\"img\" aria-label=\"{4}: {5}\">"
        "<title>{4}: {5}</title><rect width=\"{0}\" height=\"20\" rx=\"3\" fill=\"#444\"/><path d=\"M{1} 0h{2}a3 3 0 0 "
        "1 "
        "3 3v14a3 3 0 0 1-3 3h-{2}z\" fill=\"{3}\"/><g fill=\"#fff\" text-anchor=\"middle\" font-size=\"11\" "
        "font-family=\"DejaVu Sans,Verdana,sans-serif\"><text x=\"{6}\" y=\"14\">{4}</text><text x=\"{7}\" "
        "y=\"14\">{5}</text></g></svg>\n",
        left + right, left, right - 3, badge.colour, kSubject, badge.words, left / 2, left + right / 2);
    // Badges are there to be shown on pages of others.
    return {.headers = {{"Content-Type", "image/svg+xml"}, {"Cross-Origin-Resource-Policy", "cross-origin"}},
            .body = svg.html};
  }

  DeckParts parts_;
};

std::string some_of(std::vector<std::string> jobs) {
  std::ranges::sort(jobs);
  constexpr std::size_t kMost = 3;
  if (jobs.size() > kMost) {
    jobs.resize(kMost);
    jobs.emplace_back("...");
  }
  return join(jobs, ", ");
}

}  // namespace

Badge badge_of(const std::vector<store::Run>& latest) {
  std::vector<std::string> failed;
  std::vector<std::string> broken;
  for (const auto& run : latest) {
    if (run.state == JobState::failure) failed.push_back(run.job);
    if (run.state == JobState::error) broken.push_back(run.job);
  }
  if (!failed.empty()) return {"failing " + some_of(std::move(failed)), "#b3202c"};
  if (!broken.empty()) return {"no verdict " + some_of(std::move(broken)), "#875300"};
  if (latest.empty()) return {"no results", "#666"};
  return {"passing", "#17703a"};
}

void add_deck_routes(net::Router& routes, DeckParts parts) {
  const Deck deck(parts);
  routes.add("GET", "/prowjobs.js", [deck](const Request& request) {
    const auto jobs = deck.prow_jobs(request);
    return jobs ? script_or_json(request, *jobs) : plain_error(jobs.error());
  });
  routes.add("GET", "/data.js", [deck](const Request& request) {
    const auto jobs = deck.data(request);
    return jobs ? script_or_json(request, *jobs) : plain_error(jobs.error());
  });
  routes.add("GET", "/badge.svg", [deck](const Request& request) { return deck.badge(request); });
  routes.add("GET", "/log", [deck](const Request& request) { return deck.log(request); });
  routes.add("GET", "/view/{path...}", [deck](const Request& request) { return deck.view(request); });
  routes.add("GET", "/prowjob", [deck](const Request& request) { return deck.prow_job_yaml(request); });
}

}  // namespace bowsprit::web
