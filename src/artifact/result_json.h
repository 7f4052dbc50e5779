// SPDX-License-Identifier: Apache-2.0
/// result.json, schema "bowsprit/result/1" (docs/result.md): written by a job, read by the server.
///
/// Does not: touch files. The reader's input comes from a job and so from code under test: it never throws, and takes
/// at most kMaxResultBytes and a bounded number of entries; what is over is left out, and the counts are kept as they
/// were written. Threads: any.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "verdict/run_result.h"

namespace bowsprit::artifact {

constexpr std::size_t kMaxResultBytes = 64U << 20U;

Json result_to_json(const RunResult& result);
/// Indented, with a newline at the end.
std::string result_json(const RunResult& result);
/// @error bad_data  not JSON, another schema, no known verdict, too large
Result<RunResult> read_result_json(std::string_view text);

}  // namespace bowsprit::artifact
