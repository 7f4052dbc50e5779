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

}  // namespace bowsprit::prow
