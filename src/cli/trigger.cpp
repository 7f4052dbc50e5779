// SPDX-License-Identifier: Apache-2.0
#include "trigger/trigger.h"

#include <algorithm>
#include <cstdio>

#include "app/server_config.h"
#include "base/strings.h"
#include "cli/commands.h"
#include "gerrit/change_json.h"
#include "os/files.h"
#include "prow/config.h"

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

/// The jobs that Prow's files have for the project. A ChangeInfo does not say of which Gerrit it is, so without --gerrit the project
/// must be that of one repository only.
Result<std::vector<prow::Presubmit>> prow_jobs(const prow::Config& config, const std::string& gerrit_url,
                                               const std::string& project) {
  if (!gerrit_url.empty()) return prow::jobs_for(config, {}, gerrit_url, project);
  std::vector<std::string> found;
  for (const auto& [repo, jobs] : config.presubmits)
    if (const auto slash = repo.find('/'); slash != std::string::npos && repo.substr(slash + 1) == project)
      found.push_back(repo);
  if (found.size() > 1)
    return fail(ErrorKind::usage,
                "project '{}' is in several repositories of the configuration ({}); say which Gerrit with --gerrit",
                project, join(found, ", "));
  if (found.empty()) return std::vector<prow::Presubmit>{};
  return prow::jobs_for(config, {}, found[0].substr(0, found[0].find('/')), project);
}

Result<std::vector<prow::Presubmit>> load_jobs(const Arguments& arguments, const std::string& project) {
  const std::vector<std::string> names = arguments.all("config");
  std::vector<fs::path> paths(names.begin(), names.end());
  std::error_code error;
  if (paths.size() == 1 && !fs::is_directory(paths[0], error)) {
    TRY_ASSIGN(const std::string text, read_file(paths[0]));
    if (app::is_server_config(text)) {
      const auto server = app::load_server_config_text(paths[0].string(), text);
      if (yaml::has_errors(server.problems)) return std::unexpected(yaml::to_error(server.problems));
      const app::ServerConfig& config = server.config;
      if (!config.has_project(project))
        return fail(ErrorKind::bad_config, "{} has no repository with the project '{}'", paths[0].string(), project);
      if (config.prow.empty()) return std::vector{app::default_job(config.gerrit.url, project)};
      const auto jobs = prow::load_config(config.prow);
      if (!jobs.usable()) return std::unexpected(yaml::to_error(jobs.problems));
      return prow::jobs_for(jobs, config.mappings(), config.gerrit.url, project);
    }
  }
  const auto config = prow::load_config(paths);
  if (!config.usable()) return std::unexpected(yaml::to_error(config.problems));
  return prow_jobs(config, arguments.get("gerrit", ""), project);
}

Result<trigger::Input> make_input(const Arguments& arguments) {
  trigger::Input input;
  TRY_ASSIGN(input.change, load_change(*arguments.get("change")));
  TRY_ASSIGN(input.jobs, load_jobs(arguments, input.change.project));
  SystemTime since{};
  if (const auto text = arguments.get("since")) {
    const auto time = parse_time(*text);
    if (!time) return fail(ErrorKind::usage, "--since: expected a time such as 2026-11-24T08:31:06Z, got '{}'", *text);
    since = *time;
  }
  TRY_ASSIGN(const auto own, arguments.number("own-account"));
  input.patchset_is_new = input.change.patchset_created > since || !arguments.has("since");
  for (const auto& message : input.change.messages)
    if (message.patchset == input.change.patchset && (message.date > since || !arguments.has("since")) &&
        message.author != own.value_or(-1))
      input.new_messages.push_back(message);
  for (const std::string& job : arguments.all("failed")) input.known.failed.insert(job);
  return input;
}

void print_json(const trigger::Input& input, const trigger::Output& output) {
  Json decisions = Json::array();
  for (const auto& decision : output.decisions) {
    Json item{{"job", decision.job}, {"run", decision.run}, {"reason", decision.reason}};
    if (decision.run) item["trigger"] = decision.trigger_key;
    decisions.push_back(std::move(item));
  }
  fmt::print("{}\n", dump_json({{"project", input.change.project},
                                {"change", input.change.number},
                                {"patchset", input.change.patchset},
                                {"decisions", decisions},
                                {"comments", output.comments}},
                               2));
}

void print_text(const trigger::Input& input, const trigger::Output& output) {
  std::size_t width = 0;
  for (const auto& decision : output.decisions) width = std::max(width, decision.job.size());
  for (const auto& decision : output.decisions)
    fmt::print("{:<4}  {:<{}}  {}\n", decision.run ? "run" : "skip", decision.job, width, decision.reason);
  for (const std::string& comment : output.comments) fmt::print("\nanswer on the change:\n{}\n", comment);
  if (input.jobs.empty())
    fmt::print(stderr, "no presubmits for project '{}' in this configuration\n", input.change.project);
}

int run(const Arguments& arguments) {
  for (const char* needed : {"config", "change"})
    if (!arguments.has(needed)) {
      fmt::print(stderr, "bowsprit: trigger needs --{}\n", needed);
      return 2;
    }
  const std::string format = arguments.get("format", "text");
  if (format != "text" && format != "json") {
    fmt::print(stderr, "bowsprit: --format: expected text or json, got '{}'\n", format);
    return 2;
  }
  const auto input = make_input(arguments);
  if (!input) {
    report_error(input.error());
    return 2;
  }
  const auto output = trigger::decide(*input);
  if (format == "json")
    print_json(*input, output);
  else
    print_text(*input, output);
  return 0;
}

}  // namespace

Command trigger_command() {
  return {
      .name = "trigger",
      .summary = "shows which jobs a change would start, and why",
      .details =
          R"(Decides as the server does, without a server: takes a configuration and a change as Gerrit's REST API gives it, and prints
for each presubmit of the change's project whether it starts and the reason. The patch set and all its messages count as
new, unless --since says from when.

Example:
  curl -s "$GERRIT/changes/linux~42/detail?o=CURRENT_REVISION&o=CURRENT_FILES&o=MESSAGES" > change.json
  bowsprit trigger --config jobs/ --change change.json
  bowsprit trigger --config bowsprit.yaml --change change.json --failed kunit-x86 --format json
)",
      .options = {{"config", "FILE|DIR", "Prow's configuration, or bowsprit.yaml; may repeat", true},
                  {"change", "FILE", "the change: Gerrit's ChangeInfo as JSON", false},
                  {"gerrit", "URL", "of which Gerrit the change is, where the configuration has several", false},
                  {"failed", "JOB", "this job failed on the patch set, for /retest; may repeat", true},
                  {"since", "TIME", "what is not newer was handled before", false},
                  {"own-account", "ID", "the server's own account, whose messages are no commands", false},
                  {"format", "FORMAT", "text (the default) or json", false}},
      .run = run};
}

}  // namespace bowsprit::cli
