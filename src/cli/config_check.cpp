// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "app/server_config.h"
#include "cli/commands.h"
#include "os/files.h"
#include "prow/config.h"

namespace bowsprit::cli {
namespace {

struct Checked {
  yaml::Problems problems;
  std::size_t jobs = 0;
};

void add(Checked& checked, yaml::Problems problems) {
  std::move(problems.begin(), problems.end(), std::back_inserter(checked.problems));
}

void check_prow(Checked& checked, const std::vector<fs::path>& paths, const std::vector<prow::RepoMapping>& mappings,
                const std::string& file) {
  if (paths.empty()) return;
  prow::Config config = prow::load_config(paths);
  checked.jobs += config.job_count();
  add(checked, std::move(config.problems));
  for (const auto& mapping : mappings)
    if (!config.presubmits.contains(prow::repo_key(mapping.prow)))
      checked.problems.push_back({yaml::Severity::warning,
                                  {file, 0, 0},
                                  "repos",
                                  fmt::format("no job file has presubmits of \"{}\"", mapping.prow),
                                  "unknown-repo"});
}

Checked check(const std::vector<std::string>& paths) {
  Checked checked;
  std::vector<fs::path> prow_paths;
  for (const std::string& path : paths) {
    std::error_code error;
    const bool folder = fs::is_directory(path, error);
    const auto text = folder ? Result<std::string>("") : read_file(path);
    if (!text || folder || !app::is_server_config(*text)) {
      prow_paths.emplace_back(path);  // unreadable files become problems there
      continue;
    }
    auto server = app::load_server_config_text(path, *text);
    add(checked, std::move(server.problems));
    check_prow(checked, server.config.prow, server.config.mappings(), path);
  }
  check_prow(checked, prow_paths, {}, {});
  return checked;
}

Json problem_json(const yaml::Problem& problem) {
  Json json{{"severity", yaml::to_string(problem.severity)},
            {"file", problem.mark.file},
            {"line", problem.mark.line},
            {"column", problem.mark.column},
            {"path", problem.path},
            {"text", problem.text}};
  if (!problem.check.empty()) json["check"] = problem.check;
  return json;
}

int run(const Arguments& arguments) {
  const std::string format = arguments.get("format", "text");
  if (format != "text" && format != "json") {
    fmt::print(stderr, "bowsprit: --format: expected text or json, got '{}'\n", format);
    return 2;
  }
  const Checked checked = check(arguments.positionals);
  std::size_t errors = 0;
  for (const auto& problem : checked.problems) errors += problem.severity == yaml::Severity::error ? 1 : 0;
  const std::size_t warnings = checked.problems.size() - errors;
  if (format == "json") {
    Json problems = Json::array();
    for (const auto& problem : checked.problems) problems.push_back(problem_json(problem));
    fmt::print(
        "{}\n",
        dump_json({{"errors", errors}, {"warnings", warnings}, {"jobs", checked.jobs}, {"problems", problems}}, 2));
  } else {
    std::string out;
    std::string log;
    for (const auto& problem : checked.problems)
      (problem.severity == yaml::Severity::error ? out : log) += problem.line() + "\n";
    std::fputs(out.c_str(), stdout);
    std::fputs(log.c_str(), stderr);
    fmt::print(stderr, "{} jobs, {} errors, {} warnings\n", checked.jobs, errors, warnings);
  }
  return errors > 0 || (warnings > 0 && arguments.has("strict")) ? 2 : 0;
}

}  // namespace

Command config_check_command() {
  return {
      .name = "config check",
      .operands = "FILE|DIR...",
      .summary = "checks Prow's and bowsprit's configuration files",
      .details =
          R"(Reads Prow's config.yaml and job files, folders of them, and bowsprit.yaml (with the files that it names); which of the
two a file is shows in its content. Prints every problem as FILE:LINE:COLUMN: PATH: TEXT, errors on stdout, warnings on
stderr. Fields that Prow knows and bowsprit does not act on are warnings.

Exit code: 0 when the server would take the files, else 2; with --strict also 2 for a warning.

Example:
  bowsprit config check /etc/bowsprit/bowsprit.yaml
  bowsprit config check --format json config.yaml jobs/
)",
      .options = {{"format", "FORMAT", "text (the default) or json", false},
                  {"strict", "", "exit with 2 for warnings as well", false}},
      .min_operands = 1,
      .max_operands = -1,
      .run = run};
}

}  // namespace bowsprit::cli
