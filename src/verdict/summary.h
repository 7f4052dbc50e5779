// SPDX-License-Identifier: Apache-2.0
/// The one line that says what a result means, made from the result alone. Internal to verdict/. Threads: pure; any
/// thread.
#pragma once

#include <string>

#include "verdict/run_result.h"

namespace bowsprit {

/// "1 of 74 tests failed: example.example_simple_test (lib/x.c:12)". At most about 500 bytes.
std::string summary_of(const RunResult& result);

}  // namespace bowsprit
