// SPDX-License-Identifier: Apache-2.0
#include "trigger/trigger.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "app/job_table.h"
#include "app/server_config.h"
#include "base/strings.h"
#include "cli/commands.h"
#include "cli/server_client.h"
#include "gerrit/change_json.h"
#include "os/files.h"
#include "prow/config.h"
#include "trigger/periodic.h"
#include "trigger/postsubmit.h"

namespace bowsprit::cli {
namespace {

Result<gerrit::Change> load_change(const fs::path& path) {
  TRY_ASSIGN(const std::string text, read_file(path));
  auto json = parse_json(gerrit::strip_xssi(text));
  if (!json) return std::unexpected(std::move(json).error().with("read the change {}", path.string()));
  auto change = gerrit::change_from_json(*json);
  if (!change) return std::unexpected(std::move(change).error().with("read the change {}", path.string()));
  return change;
}

/// The address of the one Gerrit in which the files have jobs for the project; empty: they have none. A ChangeInfo does not say of which
/// Gerrit it is.
Result<std::string> gerrit_of(const prow::Config& config, const std::string& project) {
  std::set<std::string> found;
  const auto look = [&](const auto& jobs_by_repo) {
    for (const auto& [repo, jobs] : jobs_by_repo)
      if (const auto slash = repo.find('/'); slash != std::string::npos && repo.substr(slash + 1) == project)
        found.insert(repo);
  };
  look(config.presubmits);
  look(config.postsubmits);
  if (found.size() > 1)
    return fail(ErrorKind::usage,
                "project '{}' is in several repositories of the configuration ({}); say which Gerrit with --gerrit",
                project, join(std::vector<std::string>(found.begin(), found.end()), ", "));
  return found.empty() ? std::string() : found.begin()->substr(0, found.begin()->find('/'));
}

/// What is configured: by bowsprit.yaml, or by Prow's files alone.
struct Configured {
  std::optional<app::ServerConfig> server;
  prow::Config prow;
};

Result<Configured> load_configured(const Arguments& arguments) {
  const std::vector<std::string> names = arguments.all("config");
  std::vector<fs::path> paths(names.begin(), names.end());
  Configured out;
  std::error_code error;
  if (paths.size() == 1 && !fs::is_directory(paths[0], error)) {
    TRY_ASSIGN(const std::string text, read_file(paths[0]));
    if (app::is_server_config(text)) {
      auto server = app::load_server_config_text(paths[0].string(), text);
      if (yaml::has_errors(server.problems)) return std::unexpected(yaml::to_error(server.problems));
      paths = server.config.prow;
      out.server = std::move(server.config);
      if (paths.empty()) return out;
    }
  }
  out.prow = prow::load_config(paths);
  if (!out.prow.usable()) return std::unexpected(yaml::to_error(out.prow.problems));
  return out;
}

struct Jobs {
  std::vector<prow::Presubmit> presubmits;
  std::vector<prow::Postsubmit> postsubmits;
};

Result<Jobs> jobs_of(const Configured& configured, const std::string& gerrit, const std::string& project) {
  if (configured.server) {
    const app::ServerConfig& server = *configured.server;
    if (!server.has_project(project))
      return fail(ErrorKind::bad_config, "the configuration has no repository with the project '{}'", project);
    if (server.prow.empty()) return Jobs{{app::default_job(server.gerrit.url, project)}, {}};
    return Jobs{prow::jobs_for(configured.prow, server.mappings(), server.gerrit.url, project),
                prow::postsubmits_for(configured.prow, server.mappings(), server.gerrit.url, project)};
  }
  std::string of = gerrit;
  if (of.empty()) {
    TRY_ASSIGN(of, gerrit_of(configured.prow, project));
    if (of.empty()) return Jobs{};
  }
  return Jobs{prow::jobs_for(configured.prow, {}, of, project),
              prow::postsubmits_for(configured.prow, {}, of, project)};
}

/// triggers.trusted names accounts as Gerrit knows them; here the change itself is all that is known of accounts.
std::set<int> trusted_of(const app::ServerConfig& server, const gerrit::Change& change) {
  std::set<int> out;
  for (const std::string& name : server.triggers.trusted) {
    if (const auto id = parse_int(name)) out.insert(static_cast<int>(*id));
    for (const gerrit::Account* account : {&change.owner, &change.uploader})
      if (account->id != 0 && (account->username == name || account->email == name)) out.insert(account->id);
  }
  return out;
}

Result<std::optional<SystemTime>> time_option(const Arguments& arguments, const char* name) {
  const auto text = arguments.get(name);
  if (!text) return std::nullopt;
  const auto time = parse_time(*text);
  if (!time) return fail(ErrorKind::usage, "--{}: expected a time such as 2026-11-24T08:31:06Z, got '{}'", name, *text);
  return time;
}

Result<trigger::Input> make_input(const Arguments& arguments, const Configured& configured, gerrit::Change change,
                                  const std::vector<prow::Presubmit>& jobs) {
  trigger::Input input;
  input.change = std::move(change);
  input.jobs = jobs;
  if (configured.server) input.policy = {configured.server->who(), trusted_of(*configured.server, input.change)};
  for (const std::string& id : arguments.all("trusted")) {
    const auto number = parse_int(id);
    if (!number) return fail(ErrorKind::usage, "--trusted: expected the number of an account, got '{}'", id);
    input.policy.trusted.insert(static_cast<int>(*number));
  }
  input.allowed_trigger = configured.prow.settings.gerrit.allowed_presubmit_trigger_re;
  TRY_ASSIGN(const auto since, time_option(arguments, "since"));
  TRY_ASSIGN(const auto own, arguments.number("own-account"));
  input.patchset_is_new = !since || input.change.patchset_created > *since;
  for (const auto& message : input.change.messages)
    if (message.patchset == input.change.patchset && (!since || message.date > *since) &&
        message.author != own.value_or(-1))
      input.new_messages.push_back(message);
  for (const std::string& job : arguments.all("failed")) input.known.failed.insert(job);
  return input;
}

/// A decision, as both forms print it.
struct Line {
  std::string type;
  trigger::Decision decision;
};

void print_json(const gerrit::Change& change, const std::vector<Line>& lines, const trigger::Output& output) {
  Json decisions = Json::array();
  for (const auto& [type, decision] : lines) {
    Json item{{"job", decision.job}, {"type", type}, {"run", decision.run}, {"reason", decision.reason}};
    if (decision.run) item["trigger"] = decision.trigger_key;
    decisions.push_back(std::move(item));
  }
  Json aborts = Json::array();
  for (const auto& abort : output.aborts)
    aborts.push_back({{"job", abort.job.empty() ? Json(nullptr) : Json(abort.job)}, {"reason", abort.why}});
  Json comments = Json::array();
  for (const auto& comment : output.comments) comments.push_back(comment.text);
  fmt::print("{}\n", dump_json({{"project", change.project},
                                {"change", change.number},
                                {"patchset", change.patchset},
                                {"decisions", decisions},
                                {"aborts", aborts},
                                {"comments", comments}},
                               2));
}

void print_text(const std::vector<Line>& lines, const trigger::Output& output) {
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, line.decision.job.size());
  for (const auto& [type, decision] : lines)
    fmt::print("{:<4}  {:<{}}  {}\n", decision.run ? "run" : "skip", decision.job, width, decision.reason);
  for (const auto& abort : output.aborts)
    fmt::print("end   {}  {}\n", abort.job.empty() ? "all that runs" : abort.job, abort.why);
  for (const auto& comment : output.comments) fmt::print("\nanswer on the change:\n{}\n", comment.text);
}

Result<int> print_change(const Arguments& arguments, bool json) {
  TRY_ASSIGN(auto change, load_change(*arguments.get("change")));
  TRY_ASSIGN(const auto configured, load_configured(arguments));
  TRY_ASSIGN(const auto jobs, jobs_of(configured, arguments.get("gerrit", ""), change.project));
  TRY_ASSIGN(const auto input, make_input(arguments, configured, std::move(change), jobs.presubmits));
  const auto output = trigger::decide(input);
  std::vector<Line> lines;
  const bool merged = input.change.status == "MERGED";
  if (merged)
    for (auto& decision : trigger::decide_postsubmits(input.change, jobs.postsubmits))
      lines.push_back({"postsubmit", std::move(decision)});
  else
    for (const auto& decision : output.decisions) lines.push_back({"presubmit", decision});
  if (json)
    print_json(input.change, lines, output);
  else
    print_text(lines, output);
  if (lines.empty())
    fmt::print(stderr, "no {} for project '{}' in this configuration\n", merged ? "postsubmits" : "presubmits",
               input.change.project);
  return 0;
}

Result<int> print_periodics(const Arguments& arguments, bool json) {
  TRY_ASSIGN(const auto configured, load_configured(arguments));
  TRY_ASSIGN(const auto at_option, time_option(arguments, "at"));
  TRY_ASSIGN(const auto since, time_option(arguments, "since"));
  const SystemTime at = at_option.value_or(SystemClock::now());
  std::vector<app::PeriodicHere> periodics;
  if (configured.server)
    periodics = app::periodics_here(configured.prow, *configured.server);
  else
    for (auto& job : prow::periodics(configured.prow)) periodics.push_back({std::move(job), {}, {}, {}});
  // Without --since nothing ran before, and the schedules were known since just before the minute of --at.
  trigger::PeriodicState state{.since = at - std::chrono::minutes(1), .last = std::nullopt};
  if (since) {
    state.since = *since;
    state.last = {.queued = *since, .started = *since, .finished = *since, .succeeded = true};
  }
  Json list = Json::array();
  std::size_t width = 0;
  for (const auto& periodic : periodics) width = std::max(width, periodic.job.name.size());
  for (const auto& [job, project, branch, why_not] : periodics) {
    trigger::PeriodicDecision decision;
    decision.reason = why_not;
    if (why_not.empty()) decision = trigger::decide_periodic(job, state, at);
    if (json)
      list.push_back({{"job", job.name},
                      {"run", decision.run},
                      {"reason", decision.reason},
                      {"next", decision.next ? Json(rfc3339(*decision.next)) : Json(nullptr)}});
    else
      fmt::print("{:<4}  {:<{}}  {}\n", decision.run ? "run" : "skip", job.name, width, decision.reason);
  }
  if (json) fmt::print("{}\n", dump_json({{"at", rfc3339(at)}, {"periodics", std::move(list)}}, 2));
  if (periodics.empty()) fmt::print(stderr, "no periodics in this configuration\n");
  return 0;
}

/// What a running server decided, from its record.
Result<int> print_record(const Arguments& arguments) {
  TRY_ASSIGN(const auto number, arguments.number("decisions"));
  TRY_ASSIGN(const auto client, ServerClient::create(arguments));
  TRY_ASSIGN(const auto answer, client.get(fmt::format("/api/v1/changes/{}/decisions", number.value_or(0))));
  return print_answer(arguments, answer, [](const Json& json) {
    std::string out;
    for (const auto& one : json_get(json, "decisions"))
      out += fmt::format("{}  patch set {:<3} {:<4}  {:<24}  {}\n", json_string(one, "at").substr(0, 19),
                         json_int(one, "patchset"), json_bool(one, "run") ? "run" : "skip",
                         printable(json_string(one, "job")), printable(json_string(one, "reason")));
    return out.empty() ? std::string("nothing was decided about this change\n") : out;
  });
}

Result<int> run(const Arguments& arguments) {
  TRY_ASSIGN(const bool json, wants_json(arguments));
  if (arguments.has("decisions")) return print_record(arguments);
  const bool periodics = arguments.has("periodics");
  for (const char* needed : {"config", "change"})
    if (!arguments.has(needed) && !(periodics && std::string_view(needed) == "change"))
      return fail(ErrorKind::usage, "trigger needs --{}", needed);
  return periodics ? print_periodics(arguments, json) : print_change(arguments, json);
}

}  // namespace

Command trigger_command() {
  return {
      .name = "trigger",
      .summary = "shows which jobs a change would start, and why",
      .details =
          R"(Decides as the server does, without a server: takes a configuration and a change as Gerrit's REST API gives it, and prints
for each presubmit of the change's project, or for each postsubmit where it is merged, whether it starts and the reason. The
patch set and all its messages count as new, unless --since says from when. Of accounts only the change's own are known here:
members of triggers.group are named by --trusted.

With --periodics it prints which periodics start at a time, and with --decisions what a running server decided about a change
and why, from its record.

Example:
  curl -s "$GERRIT/changes/linux~42/detail?o=CURRENT_REVISION&o=CURRENT_FILES&o=MESSAGES" > change.json
  bowsprit trigger --config jobs/ --change change.json
  bowsprit trigger --config bowsprit.yaml --change change.json --failed kunit-x86 --format json
  bowsprit trigger --config bowsprit.yaml --periodics --at 2026-11-24T02:30:00Z --since 2026-11-23T02:30:00Z
  bowsprit trigger --decisions 42 --server http://127.0.0.1:8090
)",
      .options = {{"config", "FILE|DIR", "Prow's configuration, or bowsprit.yaml; may repeat", true},
                  {"change", "FILE", "the change: Gerrit's ChangeInfo as JSON", false},
                  {"gerrit", "URL", "of which Gerrit the change is, where the configuration has several", false},
                  {"failed", "JOB", "this job failed on the patch set, for /retest; may repeat", true},
                  {"since", "TIME",
                   "what is not newer was handled before; with --periodics: all ran then, and ended well", false},
                  {"trusted", "ID", "this account is trusted; may repeat", true},
                  {"periodics", "", "which periodics start", false},
                  {"at", "TIME", "with --periodics: at this time, not now", false},
                  {"decisions", "CHANGE", "what a running server decided about this change", false},
                  {"server", "URL",
                   "with --decisions: that server; default: $BOWSPRIT_SERVER, else http://127.0.0.1:8090", false},
                  {"own-account", "ID", "the server's own account, whose messages are no commands", false},
                  {"format", "FORMAT", "text (the default) or json", false}},
      .run = [](const Arguments& arguments) {
        const auto code = run(arguments);
        return code ? *code : report_error(code.error());
      }};
}

}  // namespace bowsprit::cli
