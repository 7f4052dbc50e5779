// SPDX-License-Identifier: Apache-2.0
/// From Prow's settings and bowsprit.yaml to the limits of sched/. Pure. Threads: any.
#pragma once

#include "app/server_config.h"
#include "sched/deadline.h"
#include "sched/queue.h"
#include "store/store.h"

namespace bowsprit::app {

sched::QueueLimits queue_limits(const prow::Settings& settings, int capacity);
sched::Deadlines deadlines(const prow::Settings& settings, const TimeoutsConfig& timeouts);
/// People wait for presubmits, so these come before postsubmits and those before periodics: 0, -10, -20. A job's annotation
/// "bowsprit/priority" says another number.
sched::QueueEntry queue_entry(const store::Run& run);

}  // namespace bowsprit::app
