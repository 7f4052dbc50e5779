// SPDX-License-Identifier: Apache-2.0
/// JOB_SPEC, by which the utilities know whose run this is (pkg/pod-utils/downwardapi), and what follows from it:
/// started.json and the folder of the run. Pure. Threads: values.
#pragma once

#include "podutils/clone_record.h"
#include "prow/layout.h"

namespace bowsprit::podutils {

struct JobSpec {
  prow::JobType type = prow::JobType::presubmit;
  std::string job;
  std::string build_id;
  std::string prow_job_id;
  std::optional<prow::Refs> refs;
  std::vector<prow::Refs> extra_refs;
};

/// @error bad_config  not such a JSON; a presubmit without a pull
Result<JobSpec> read_job_spec(std::string_view json);

/// The refs under test: those of the job, else the first extra ones that are not auxiliary; nullptr: none.
const prow::Refs* main_refs(const JobSpec& spec);
/// The commit (or branch) under test; empty: none.
std::string revision_of(const JobSpec& spec);

/// started.json, with the commit that cloning ended at where there is one.
Json started_json(const JobSpec& spec, const std::vector<CloneRecord>& records, SystemTime now);

/// Where the run belongs by a path strategy of the configuration.
prow::layout::Place place_of(const JobSpec& spec, const prow::GcsConfiguration& configuration);

}  // namespace bowsprit::podutils
