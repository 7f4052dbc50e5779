// SPDX-License-Identifier: Apache-2.0
/// Where a run's artifacts are and what Prow's own files in it say (pkg/pod-utils/gcs, pkg/gcsupload,
/// pkg/crier/reporters/gcs). Tools that read Prow's buckets (Deck, TestGrid, Spyglass) read these folders. Pure: paths
/// relative to the artifact root, contents as values. Does not: write.
///
///   prow::layout::Place place{.org = "https://gerrit.example", .repo = "linux", .pull = 42, .job = "kunit", .build_id
///   = "7"}; run_folder(place)      // pr-logs/pull/gerrit.example_linux/42/kunit/7 alias_file(place)      //
///   pr-logs/directory/kunit/7.txt, which holds the location of run_folder
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "prow/job_env.h"

namespace bowsprit::prow::layout {

enum class Strategy {
  explicit_,  ///< always host_repo
  legacy,     ///< nothing, repo or org_repo, by how much of it is the default
  single,     ///< nothing for the one default repository, else org_repo
};

struct Place {
  std::string org;   ///< "https://host"
  std::string repo;  ///< "kernel/linux"
  int pull = 0;      ///< change number
  std::string job;
  std::string build_id;
  Strategy strategy = Strategy::explicit_;
  std::string default_org;
  std::string default_repo;
  JobType type = JobType::presubmit;
};

/// "explicit", "legacy" or "single"; nullopt for anything else.
std::optional<Strategy> strategy_of(std::string_view word);

/// "host_kernel_linux"
std::string repo_segment(const Place& place);
std::string run_folder(const Place& place);
/// Empty for all but presubmits, which alone have one.
std::string alias_file(const Place& place);
/// The files that hold the newest build id of the job; for a presubmit of all pulls, and of this one.
std::vector<std::string> latest_build_files(const Place& place);

/// started.json. `merged_sha`: the commit that was tested; the pull's own where it is not known yet.
Json started(const Refs& refs, std::string_view merged_sha, SystemTime when);

struct Finish {
  bool passed = false;
  bool aborted = false;
  SystemTime when;
  std::string revision;  ///< of the pull
  Json metadata = Json::object();
};
Json finished(const Finish& finish);

/// prowjob.json: the run as a ProwJob resource.
struct ProwJobState {
  std::string name;   ///< UUID
  std::string state;  ///< Prow's word: triggered pending success failure aborted error
  std::string description;
  std::string url;
  SystemTime created{};
  std::optional<SystemTime> started;
  std::optional<SystemTime> completed;
  std::string build_id;
  JobType type = JobType::presubmit;
};
/// A periodic has no refs of its own: its source is in extra_refs, and `refs` says nothing.
Json prow_job(const Presubmit& job, const Refs& refs, const ProwJobState& state);

}  // namespace bowsprit::prow::layout
