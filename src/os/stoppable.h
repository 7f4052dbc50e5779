// SPDX-License-Identifier: Apache-2.0
/// A short helper as in os/process.h that another thread can end before its time.
/// Does not: stream, retry. Threads: any.
///
///   TRY_ASSIGN(auto output, run_stoppable({.argv = {"git", "fetch"}}, limit, stop.fd()));
#pragma once

#include "os/process.h"

namespace bowsprit {

/// As run_command; `stop_fd` (-1: none) readable ends it at once.
/// @error timeout, cancelled  its group was killed
Result<CommandOutput> run_stoppable(SpawnOptions options, milliseconds limit, int stop_fd, std::string_view input = {},
                                    std::size_t output_limit = 64U << 20U);

}  // namespace bowsprit
