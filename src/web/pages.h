// SPDX-License-Identifier: Apache-2.0
/// The pages as whole documents. Pure: values in, HTML out; whatever is in the values, it stays text.
/// Threads: any.
#pragma once

#include <string>

#include "web/view.h"

namespace bowsprit::web {

std::string runs_page(const RunsView& view);
std::string run_page(const RunView& view);
std::string change_page(const ChangeView& view);
std::string job_page(const JobView& view);
std::string jobs_page(const std::vector<JobView>& jobs);

/// The address of the list with this filter, from `before` on.
std::string runs_url(const store::RunFilter& filter, std::int64_t before);

}  // namespace bowsprit::web
