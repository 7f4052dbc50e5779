// SPDX-License-Identifier: Apache-2.0
/// The fields of Prow's jobs, declared once for reading, checking and writing. Inside prow/ only; others use config.h
/// and job_json.h.
#pragma once

#include "prow/job.h"
#include "yaml/fields.h"

namespace bowsprit::prow {

const yaml::Fields<DecorationConfig>& fields_of(const DecorationConfig*);
const yaml::Fields<Presubmit>& fields_of(const Presubmit*);

/// Checks that concern several fields of one job, and fills in Prow's defaults; `cursor` is at the job.
void finish(const yaml::Cursor& cursor, Presubmit& job);

/// Whether two jobs can run on the same branch.
bool branches_intersect(const Presubmit& a, const Presubmit& b);

/// Whether `branches` and `skip_branches` let it run there; `why` is filled where not.
bool runs_on_branch(const Presubmit& job, std::string_view branch, std::string* why = nullptr);

}  // namespace bowsprit::prow
