// SPDX-License-Identifier: Apache-2.0
#include "app/presubmit.h"

#include <cstdio>

#include "artifact/result_json.h"
#include "base/strings.h"
#include "cli/ci_options.h"
#include "cli/commands.h"

namespace bowsprit::cli {
namespace {

/// 0 all required jobs are good, 3 where only the infrastructure failed, else 1.
int exit_of(const app::PresubmitResult& result) {
  int worst = 0;
  for (const auto& job : result.jobs) {
    if (job.optional || !job.result) continue;
    const int code = exit_code(job.result->verdict);
    if (code == 1) return 1;
    worst = std::max(worst, code);
  }
  return worst;
}

int run(const Arguments& arguments) {
  const auto number = parse_int(arguments.positionals[0]);
  const std::string format = arguments.get("format", "text");
  if (!number || *number <= 0 || *number > 2'000'000'000)
    return report_error({ErrorKind::usage,
                         Blame::configuration,
                         fmt::format("expected the number of a change, got '{}'", arguments.positionals[0]),
                         {},
                         {}});
  if (format != "text" && format != "json")
    return report_error({ErrorKind::usage,
                         Blame::configuration,
                         fmt::format("--format: expected text or json, got '{}'", format),
                         {},
                         {}});
  auto config = ci_config(arguments);
  if (!config) return report_error(config.error());
  app::PresubmitOptions options;
  options.config = std::move(*config);
  options.change = static_cast<int>(*number);
  options.report = arguments.has("report");
  options.artifacts = arguments.get("artifacts", "");
  options.on_output = [](std::string_view bytes) { std::fwrite(bytes.data(), 1, bytes.size(), stderr); };
  const auto result = app::presubmit(options);
  if (!result) return report_error(result.error());
  if (format == "json") {
    Json jobs = Json::array();
    for (const auto& job : result->jobs)
      jobs.push_back({{"job", job.job},
                      {"state", sched::to_string(job.state)},
                      {"optional", job.optional},
                      {"result", job.result ? artifact::result_to_json(*job.result) : Json()}});
    fmt::print("{}\n", dump_json({{"change", options.change},
                                  {"vote", result->text.vote},
                                  {"jobs", jobs},
                                  {"message", result->text.message}},
                                 2));
  } else {
    fmt::print("{}\n", result->text.message);
    if (!result->reported.empty()) fmt::print(stderr, "{}\n", result->reported);
  }
  return exit_of(*result);
}

}  // namespace

Command presubmit_command() {
  std::vector<Option> options = ci_options();
  options.push_back({"report", "", "also comment on the change and vote"});
  options.push_back({"artifacts", "DIR", "keep each job's artifacts in DIR/JOB"});
  options.push_back({"format", "FORMAT", "text (default) or json"});
  return {.name = "presubmit",
          .operands = "CHANGE",
          .summary = "judge one Gerrit change now",
          .details = R"(
Runs, once and here, the jobs that the server would run for the current patch set of a change, and prints the message it would post. Only with
--report does the change see anything of it. The first run makes the warm tree in --state; later ones take seconds.

    bowsprit presubmit 4711 --gerrit https://gerrit.example
    bowsprit presubmit 4711 --config /etc/bowsprit/bowsprit.yaml --report
)",
          .options = std::move(options),
          .min_operands = 1,
          .max_operands = 1,
          .run = run};
}

}  // namespace bowsprit::cli
