// SPDX-License-Identifier: Apache-2.0
/// The parts of a run's page. Each is empty where it has nothing to say. Pure. Threads: any.
#pragma once

#include "web/html.h"
#include "web/view.h"

namespace bowsprit::web {

Markup failures_section(const store::Run& run, const std::vector<Failure>& failures);
Markup diagnostics_section(const store::Run& run, const std::vector<Diagnostic>& diagnostics);
Markup reproduce_section(const std::string& command);
Markup phases_section(const std::vector<Phase>& phases);
/// The tree of all tests. Suites with a failure are open; beyond some thousands of tests, good suites show only counts.
Markup tests_section(const std::vector<ktap::TestNode>& suites);
Markup log_section(const RunView& view);
Markup artifacts_section(const RunView& view);

}  // namespace bowsprit::web
