// SPDX-License-Identifier: Apache-2.0
/// A stored run as Prow's words, and its files in the artifact store in Prow's layout (prow/layout.h).
///
/// Order of the files: started.json when it starts; at the end artifacts/*, build-log.txt, prowjob.json, the alias, then finished.json, and
/// latest-build.txt last: whoever sees finished.json sees everything.
/// Does not: keep anything. Threads: any.
#pragma once

#include <filesystem>

#include "artifact/object_store.h"
#include "base/json.h"
#include "prow/job.h"
#include "prow/job_env.h"
#include "store/store.h"
#include "verdict/run_result.h"

namespace bowsprit::app {

prow::JobType type_of(const store::Run& run);
/// What is cloned for it. A postsubmit has its change in it, as in Prow: the branch holds that already, so nothing is merged.
prow::Refs refs_of(const store::Run& run, const prow::Presubmit& job);
/// Folder of the run below the artifact root: "pr-logs/pull/HOST_PROJECT/CHANGE/JOB/ID", or "logs/JOB/ID".
std::string run_folder(const store::Run& run);

/// prowjob.json of the run as it is now. @error bad_data  its stored job can't be read
Result<Json> prow_job_of(const store::Run& run);

Result<> put_started(artifact::ObjectStore& artifacts, const store::Run& run, const prow::Presubmit& job);

/// @param url  of the store, "s3://bucket/", which the alias has before the run's folder
/// @param folder  holds the job's "artifacts" and its "build-log.txt"
/// @param result  written as artifacts/result.json in place of what the job wrote there: the judged word, not the claimed one
Result<> put_finished(artifact::ObjectStore& artifacts, const std::string& url, const store::Run& run,
                      const prow::Presubmit& job, const RunResult& result, const std::filesystem::path& folder);

}  // namespace bowsprit::app
