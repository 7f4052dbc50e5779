// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "base/json.h"
#include "base/strings.h"
#include "cli/commands.h"
#include "exec/local/local_executor.h"

namespace bowsprit::cli {
namespace {

seconds age_of(const exec::WarmTreeInfo& tree) {
  return std::chrono::duration_cast<seconds>(SystemClock::now() - tree.made);
}

Json to_json(const exec::WarmTreeInfo& tree) {
  return {{"key", tree.key},
          {"repository", tree.repository},
          {"branch", tree.branch},
          {"job", tree.job},
          {"commit", tree.commit},
          {"made", rfc3339(tree.made)},
          {"seconds", tree.seconds},
          {"built", tree.built},
          {"folder", tree.folder.string()},
          {"hits", tree.hits},
          {"last_used", rfc3339(tree.last_used)},
          {"age_seconds", age_of(tree).count()},
          {"bytes", exec::WarmTrees::size_of(tree)}};
}

void print_trees(const std::vector<exec::WarmTreeInfo>& trees, bool json) {
  if (json) {
    Json list = Json::array();
    for (const auto& tree : trees) list.push_back(to_json(tree));
    fmt::print("{}\n", dump_json(list, 2));
    return;
  }
  if (trees.empty()) fmt::print("no warm trees\n");
  for (const auto& tree : trees) {
    fmt::print("{}  {} {}  {}  job {}  {} old  {} MB  {} hit{}{}\n", tree.key, tree.repository, tree.branch,
               tree.commit.substr(0, 12), tree.job, format_duration(age_of(tree)),
               exec::WarmTrees::size_of(tree) >> 20U, tree.hits, tree.hits == 1 ? "" : "s",
               tree.built ? "" : "  without objects: the job does not end on the branch itself");
  }
}

int run_warm(const Arguments& arguments) {
  const auto format = arguments.get("format", "text");
  if (format != "text" && format != "json")
    return report_error(fail(ErrorKind::usage, "--format: text or json, not '{}'", format).error());
  const fs::path work = arguments.get("work", "/var/lib/bowsprit/exec");
  if (arguments.has("list")) {
    print_trees(exec::WarmTrees(work / "warm").list(), format == "json");
    return 0;
  }
  const auto url = arguments.get("url", "");
  if (url.empty())
    return report_error(fail(ErrorKind::usage, "give --list, or --url and --branch of what to warm").error());
  auto executor = exec::LocalExecutor::create({.work = work});
  if (!executor) return report_error(executor.error());
  exec::RunRequest request{.id = "warm"};
  request.job.name = arguments.get("job", "kunit");
  request.job.decorate = true;
  request.job.spec = {{"containers", Json::array({{{"command", split(arguments.get("command", "/kunit.sh"), ' ')}}})}};
  request.refs = {
      .repo_link = arguments.get("repo-link", url), .base_ref = arguments.get("branch", "master"), .clone_uri = url};
  const auto tree = (*executor)->refresh(request);
  if (!tree) return report_error(tree.error());
  print_trees({*tree}, format == "json");
  return tree->built ? 0 : 3;
}

}  // namespace

Command warm_command() {
  return {.name = "warm",
          .operands = "",
          .summary = "makes, refreshes or lists warm trees",
          .details =
              "A warm tree is a checkout of a branch with the build folder that a job made of it; jobs build on it in "
              "seconds and never\n"
              "change it. The server makes and refreshes them by itself; this does it by hand, or lists them.\n"
              "examples:\n"
              "  bowsprit warm --work /var/lib/bowsprit/exec --list\n"
              "  bowsprit warm --work /var/lib/bowsprit/exec --url https://gerrit.example.org/linux --branch master",
          .options = {{"work", "DIR", "the executor's folder [/var/lib/bowsprit/exec]"},
                      {"list", "", "lists the trees: key, repository, branch, commit, job, age, size, hits"},
                      {"url", "URL", "repository to warm"},
                      {"branch", "NAME", "its branch [master]"},
                      {"repo-link", "URL",
                       "where the server says the repository is [--url]; it decides the path in the sandbox"},
                      {"job", "NAME", "name of the job [kunit]"},
                      {"command", "WORDS", "the job's command, as in its configuration [/kunit.sh]"},
                      {"format", "FORMAT", "text or json"}},
          .run = &run_warm};
}

}  // namespace bowsprit::cli
