// SPDX-License-Identifier: Apache-2.0
#include "app/run_files.h"

#include "artifact/result_json.h"
#include "os/files.h"
#include "prow/job_json.h"
#include "prow/layout.h"

namespace bowsprit::app {
namespace {

prow::layout::Place place_of(const store::Run& run) {
  prow::layout::Place place{
      .org = run.gerrit, .repo = run.project, .pull = run.change, .job = run.job, .build_id = std::to_string(run.id)};
  place.type = type_of(run);
  return place;
}

prow::layout::ProwJobState prow_state(const store::Run& run) {
  return {.name = run.prow_job_id,
          .state = std::string(sched::to_string(run.state)),
          .description = run.description,
          .url = {},
          .created = run.created,
          .started = run.started,
          .completed = run.finished,
          .build_id = std::to_string(run.id),
          .type = type_of(run)};
}

}  // namespace

prow::JobType type_of(const store::Run& run) {
  for (const auto type : {prow::JobType::postsubmit, prow::JobType::periodic})
    if (prow::to_string(type) == run.type) return type;
  return prow::JobType::presubmit;
}

prow::Refs refs_of(const store::Run& run, const prow::Presubmit& job) {
  prow::Refs refs;
  refs.org = run.gerrit;
  refs.repo = run.project;
  refs.repo_link = run.gerrit + "/" + run.project;
  refs.base_ref = run.branch;
  refs.base_sha = run.base_sha;
  refs.clone_uri = job.clone_uri.empty() ? refs.repo_link : job.clone_uri;
  refs.path_alias = job.path_alias;
  if (type_of(run) == prow::JobType::periodic) {
    if (!job.extra_refs.empty()) {
      const prow::Refs& source = job.extra_refs.front();
      refs.path_alias = source.path_alias;
      if (!source.repo_link.empty()) refs.repo_link = source.repo_link;
      if (!source.clone_uri.empty()) refs.clone_uri = source.clone_uri;
    }
    return refs;
  }
  refs.pulls.push_back({.number = run.change,
                        .author = run.author,
                        .sha = run.revision,
                        .title = {},
                        .ref = run.ref,
                        .head_ref = {},
                        .link = run.gerrit + "/c/" + run.project + "/+/" + std::to_string(run.change)});
  return refs;
}

std::string run_folder(const store::Run& run) { return prow::layout::run_folder(place_of(run)); }

Result<Json> prow_job_of(const store::Run& run) {
  TRY_ASSIGN(const auto job, prow::presubmit_from_json(run.job_json));
  return prow::layout::prow_job(job, refs_of(run, job), prow_state(run));
}

Result<> put_started(artifact::ObjectStore& artifacts, const store::Run& run, const prow::Presubmit& job) {
  const auto started = prow::layout::started(refs_of(run, job), run.merged_sha, run.started.value_or(run.created));
  return artifacts.put(run_folder(run) + "/started.json", dump_json(started));
}

Result<> put_finished(artifact::ObjectStore& artifacts, const std::string& url, const store::Run& run,
                      const prow::Presubmit& job, const RunResult& result, const std::filesystem::path& folder) {
  const std::string prefix = run_folder(run);
  const auto files = folder / "artifacts";
  std::error_code code;
  for (fs::recursive_directory_iterator it(files, code), end; !code && it != end; it.increment(code)) {
    // The executor lets only plain files and folders out of the sandbox; anything else would be a way to read ours.
    if (it->symlink_status().type() != fs::file_type::regular) continue;
    const std::string name = it->path().lexically_relative(files).generic_string();
    if (name != "result.json") TRY(artifacts.put_file(prefix + "/artifacts/" + name, it->path()));
  }
  if (code) return fail(ErrorKind::os, "read folder '{}': {}", files.string(), code.message());
  TRY(artifacts.put(prefix + "/artifacts/result.json", artifact::result_json(result)));
  TRY(artifacts.put_file(prefix + "/build-log.txt", folder / "build-log.txt"));
  const auto refs = refs_of(run, job);
  TRY(artifacts.put(prefix + "/started.json",
                    dump_json(prow::layout::started(refs, run.merged_sha, run.started.value_or(run.created)))));
  TRY(artifacts.put(prefix + "/prowjob.json", dump_json(prow::layout::prow_job(job, refs, prow_state(run)))));
  const auto place = place_of(run);
  if (const auto alias = prow::layout::alias_file(place); !alias.empty()) TRY(artifacts.put(alias, url + prefix));
  prow::layout::Finish finish;
  finish.passed = run.state == sched::JobState::success;
  finish.aborted = run.state == sched::JobState::aborted;
  finish.when = run.finished.value_or(SystemClock::now());
  finish.revision = run.revision;
  finish.metadata = {{"verdict", to_string(result.verdict)}, {"summary", result.summary}};
  TRY(artifacts.put(prefix + "/finished.json", dump_json(prow::layout::finished(finish))));
  for (const auto& name : prow::layout::latest_build_files(place)) TRY(artifacts.put(name, std::to_string(run.id)));
  return {};
}

}  // namespace bowsprit::app
