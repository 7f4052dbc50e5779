// SPDX-License-Identifier: Apache-2.0
/// The fields of Prow's jobs, declared once for reading, checking and writing. Inside prow/ only; others use config.h
/// and job_json.h.
#pragma once

#include "prow/job.h"
#include "yaml/fields.h"

namespace bowsprit::prow {

const yaml::Fields<GcsConfiguration>& fields_of(const GcsConfiguration*);
const yaml::Fields<CensoringOptions>& fields_of(const CensoringOptions*);
const yaml::Fields<DecorationConfig>& fields_of(const DecorationConfig*);
const yaml::Fields<Pull>& fields_of(const Pull*);
const yaml::Fields<Refs>& fields_of(const Refs*);
const yaml::Fields<Retry>& fields_of(const Retry*);
const yaml::Fields<Presubmit>& fields_of(const Presubmit*);
const yaml::Fields<Postsubmit>& fields_of(const Postsubmit*);
const yaml::Fields<Periodic>& fields_of(const Periodic*);

/// Checks that concern several fields of one job, and fills in Prow's defaults; `cursor` is at the job.
void finish(const yaml::Cursor& cursor, Presubmit& job);
void finish(const yaml::Cursor& cursor, Postsubmit& job);
void finish(const yaml::Cursor& cursor, Periodic& job);

}  // namespace bowsprit::prow
