// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <algorithm>
#include <cstdio>

#include "base/strings.h"
#include "cli/commands.h"
#include "os/files.h"
#include "yaml/node.h"

namespace bowsprit::cli {
namespace {

/// Of a ProwJob (prow.k8s.io/v1) what a report needs.
struct Job {
  report::JobLine line;
  std::string patchset;  ///< "change,commit" of its pull; empty: none
  std::string label;     ///< that it votes on; empty: the default one
  SystemTime created{};
  std::string file;
};

std::string text_at(const yaml::Node& node, std::initializer_list<std::string_view> path) {
  const yaml::Node* at = &node;
  for (const auto& key : path) {
    at = at->find(key);
    if (at == nullptr) return {};
  }
  return at->is_scalar() && !at->is_null() ? at->as_string() : std::string();
}

/// The patch set that the job's refs name: "number,commit".
std::string patchset_of(const yaml::Node& node) {
  const yaml::Node* spec = node.find("spec");
  const yaml::Node* refs = spec == nullptr ? nullptr : spec->find("refs");
  const yaml::Node* pulls = refs == nullptr ? nullptr : refs->find("pulls");
  if (pulls == nullptr || pulls->items().empty()) return {};
  return text_at(pulls->items().front(), {"number"}) + "," + text_at(pulls->items().front(), {"sha"});
}

Result<Job> read_job(const yaml::Node& node, const std::string& file) {
  const auto bad = [&](const yaml::Node& at, std::string_view field, std::string_view expected, std::string_view got) {
    auto error = fail(ErrorKind::bad_data, "{}: expected {}, got {}", field, expected, got);
    error.error().mark = SourceMark{file, at.line(), at.column()};
    return error;
  };
  if (const std::string kind = text_at(node, {"kind"}); kind != "ProwJob")
    return bad(node, "kind", "ProwJob", kind.empty() ? node.describe() : "\"" + printable(kind) + "\"");
  Job job;
  job.file = file;
  job.line.job = text_at(node, {"spec", "job"});
  if (job.line.job.empty()) return bad(node, "spec.job", "the name of the job", "nothing");
  const std::string state = text_at(node, {"status", "state"});
  const auto known = sched::job_state_from_string(state == "scheduling" ? "triggered" : state);
  if (!known)
    return bad(node, "status.state", "scheduling, triggered, pending, success, failure, aborted or error",
               "\"" + printable(state) + "\"");
  job.line.state = *known;
  job.line.url = text_at(node, {"status", "url"});
  job.line.description = text_at(node, {"status", "description"});
  job.line.optional = text_at(node, {"metadata", "labels", "prow.k8s.io/is-optional"}) == "true";
  job.label = text_at(node, {"metadata", "labels", "prow.k8s.io/gerrit-report-label"});
  job.patchset = patchset_of(node);
  for (const auto& path : {std::vector<std::string_view>{"metadata", "creationTimestamp"}, {"status", "startTime"}}) {
    const auto time = parse_time(text_at(node, {path[0], path[1]}));
    if (time && job.created == SystemTime{}) job.created = *time;
  }
  return job;
}

/// Adds it, unless it asks for no report.
Result<> add_job(const yaml::Node& node, const std::string& file, std::vector<Job>& jobs) {
  TRY_ASSIGN(auto job, read_job(node, file));
  if (text_at(node, {"spec", "report"}) != "false") jobs.push_back(std::move(job));
  return {};
}

/// The jobs of a file: one or more documents, each a ProwJob or a list of them as kubectl prints it.
Result<> read_file_of_jobs(const fs::path& path, std::vector<Job>& jobs) {
  TRY_ASSIGN(const std::string text, read_file(path));
  const auto tree = yaml::Tree::parse(path.string(), text);
  if (yaml::has_errors(tree.problems())) return std::unexpected(yaml::to_error(tree.problems()));
  for (const auto& document : tree.documents()) {
    const yaml::Node* items = document.find("items");
    if (items != nullptr && items->is_sequence()) {
      for (const auto& item : items->items()) TRY(add_job(item, path.string(), jobs));
    } else if (!document.is_null()) {
      TRY(add_job(document, path.string(), jobs));
    }
  }
  return {};
}

Result<std::vector<Job>> read_folder(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".yaml" || extension == ".yml" || extension == ".json"))
      files.push_back(entry.path());
  }
  if (error) return fail(ErrorKind::usage, "--prowjobs: read the folder '{}': {}", folder.string(), error.message());
  std::ranges::sort(files);
  std::vector<Job> jobs;
  for (const auto& file : files) TRY(read_file_of_jobs(file, jobs));
  if (jobs.empty())
    return fail(ErrorKind::usage, "--prowjobs: no .yaml, .yml or .json file with a ProwJob in '{}'", folder.string());
  for (const auto& job : jobs)
    if (job.patchset != jobs.front().patchset)
      return fail(ErrorKind::usage, "--prowjobs: a report is on one patch set, but {} is of '{}' and {} of '{}'",
                  jobs.front().file, jobs.front().patchset, job.file, job.patchset);
  return jobs;
}

/// Of each job its newest run, as Prow reports it; in the order of the files.
std::vector<report::JobLine> newest_runs(const std::vector<Job>& jobs, const std::string& label) {
  std::vector<const Job*> newest;
  for (const auto& job : jobs) {
    if (job.label != label) continue;
    const auto same = std::ranges::find(newest, job.line.job, [](const Job* one) { return one->line.job; });
    if (same == newest.end())
      newest.push_back(&job);
    else if (job.created > (*same)->created)
      *same = &job;
  }
  std::vector<report::JobLine> lines;
  for (const Job* job : newest) lines.push_back(job->line);
  return lines;
}

int run(const Arguments& arguments) {
  const auto folder = arguments.get("prowjobs");
  if (!folder) {
    fmt::print(stderr, "bowsprit: report needs --prowjobs\n");
    return 2;
  }
  const std::string format = arguments.get("format", "text");
  if (format != "text" && format != "json") {
    fmt::print(stderr, "bowsprit: --format: expected text or json, got '{}'\n", format);
    return 2;
  }
  const auto limit = arguments.number("limit");
  if (!limit) return report_error(limit.error());
  report::Options options;
  options.key = arguments.get("key", "");
  if (*limit) {
    if (**limit < static_cast<std::int64_t>(report::kSmallestLimit)) {
      fmt::print(stderr, "bowsprit: --limit: expected at least {} bytes, got {}\n", report::kSmallestLimit, **limit);
      return 2;
    }
    options.limit = static_cast<std::size_t>(**limit);
  }
  const auto jobs = read_folder(*folder);
  if (!jobs) {
    report_error(jobs.error());
    return 2;
  }
  std::vector<std::string> labels;
  for (const auto& job : *jobs)
    if (std::ranges::find(labels, job.label) == labels.end()) labels.push_back(job.label);
  Json reports = Json::array();
  for (const auto& label : labels) {
    const auto text = report::make_report(newest_runs(*jobs, label), options);
    if (format == "text")
      fmt::print("{}\nVote: {}{}\n", text.message, text.vote == 0 ? "0" : fmt::format("{:+}", text.vote),
                 label.empty() ? "" : " on " + printable(label));
    else
      reports.push_back({{"label", label}, {"vote", text.vote}, {"message", text.message}});
  }
  if (format == "json") fmt::print("{}\n", dump_json(reports.size() == 1 ? reports[0] : Json{{"reports", reports}}, 2));
  return 0;
}

}  // namespace

Command report_command() {
  return {
      .name = "report",
      .summary = "prints the Gerrit message and vote for a patch set's ProwJobs",
      .details =
          R"(Says what the server, or Prow with its format, would write on the change: of each job its newest run counts. Optional jobs
(label prow.k8s.io/is-optional) do not cost the vote, and neither does a failure of the infrastructure. Jobs that vote on different
labels give a report each. The message never is larger than the limit; what is left out is counted in it. Posts nothing.

Example:
  kubectl get prowjobs -l prow.k8s.io/gerrit-revision="$SHA" -o yaml > jobs/all.yaml
  bowsprit report --prowjobs jobs/
)",
      .options = {{"prowjobs", "DIR", "folder of ProwJobs of one patch set, .yaml or .json", false},
                  {"limit", "BYTES", "size of the message at most (15360)", false},
                  {"key", "KEY", "for the last line, by which the report is found again", false},
                  {"format", "FORMAT", "text (the default) or json", false}},
      .run = run};
}

}  // namespace bowsprit::cli
