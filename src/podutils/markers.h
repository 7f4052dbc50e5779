// SPDX-License-Identifier: Apache-2.0
/// Marker files: how entrypoint tells sidecar, and the next entrypoint, that a process ended and how.
/// A marker holds a decimal exit code; it is renamed into its place, so it is whole or absent. Does not: remove any.
/// Threads: any.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace bowsprit::podutils {

/// @error bad_data  it is there and no number; the caller counts that as a failure
Result<int> read_marker(const std::string& path);

/// Durable and whole, readable by everybody: another user may run the next container.
Result<> write_marker(const std::string& path, int code);

/// Waits for all markers with inotify on their folders (and looks every 10 s, since some volumes tell nothing).
/// @param wake_fd  readable: `stop` is asked whether to give up; -1: there is none
/// A marker that is missing when the wait was given up has no entry.
Result<std::map<std::string, Result<int>>> wait_for_markers(const std::vector<std::string>& paths, int wake_fd,
                                                            const std::function<bool()>& stop);

}  // namespace bowsprit::podutils
