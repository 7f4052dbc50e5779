// SPDX-License-Identifier: Apache-2.0
/// junit_kunit.xml: the result for CI systems that read JUnit (Jenkins, Prow's Spyglass, GitLab).
///
/// One testsuite per KUnit suite, one testcase per leaf. failed and missing are <failure>, crashed and timed_out
/// <error>, skips <skipped>. What has no test of its own (a build error, a panic after the last suite) is a testcase of
/// the suite "bowsprit", so that no reader shows green where the verdict is red. Valid XML 1.0 whatever the bytes of
/// the log. Does not: write files. Threads: any.
#pragma once

#include <string>

#include "verdict/run_result.h"

namespace bowsprit::artifact {

std::string junit_xml(const RunResult& result, const std::string& name = "kunit");

}  // namespace bowsprit::artifact
