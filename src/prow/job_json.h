// SPDX-License-Identifier: Apache-2.0
/// A Presubmit as JSON and back: the server stores a run's job as it was when it was triggered.
#pragma once

#include "base/result.h"
#include "prow/job.h"

namespace bowsprit::prow {

/// What is run of such a job, as a Presubmit: the one form in which runs are stored and started, beside their type. What only says when
/// it starts is left out.
Presubmit as_presubmit(const Postsubmit& job);
Presubmit as_presubmit(const Periodic& job);

Json to_json(const Presubmit& job);
/// The exact inverse of to_json(). @error bad_data  not such a JSON text
Result<Presubmit> presubmit_from_json(std::string_view text);

}  // namespace bowsprit::prow
