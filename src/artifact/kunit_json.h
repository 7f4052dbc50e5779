// SPDX-License-Identifier: Apache-2.0
/// The JSON that kunit.py --json writes (tools/testing/kunit/kunit_json.py), for tools that read it today.
///
/// Same keys and words: PASS, FAIL, SKIP, ERROR. What that format can't say (durations, logs, reasons) is not in it; a
/// failed suite whose cases all passed gets a case of its own name, since the format has no status for a group. Does
/// not: write files. Threads: any.
#pragma once

#include <string>

#include "verdict/run_result.h"

namespace bowsprit::artifact {

struct KunitJsonInfo {
  std::string arch = "um";
  std::string build_dir = ".kunit";
};

std::string kunit_json(const RunResult& result, const KunitJsonInfo& info = {});

}  // namespace bowsprit::artifact
