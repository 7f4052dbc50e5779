// SPDX-License-Identifier: Apache-2.0
/// Queues the periodics that are due, by trigger/periodic.h and by what the store says of their last runs.
///
/// A run's key names its occasion, so that a restart starts none twice, and what was due while the server was down is due at its start.
/// Does not: report; a periodic has no change. Threads: the engine's.
#pragma once

#include "app/job_table.h"
#include "store/store.h"
#include "trigger/periodic.h"

namespace bowsprit::app {

Result<> queue_due_periodics(store::Store& store, const std::vector<PeriodicHere>& periodics, const std::string& gerrit,
                             SystemTime now);

}  // namespace bowsprit::app
