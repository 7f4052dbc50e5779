// SPDX-License-Identifier: Apache-2.0
/// A folder of artifacts as a tar stream: written inside the sandbox, read outside by the server, which trusts none
/// of it.
///
/// The reader takes regular files and folders with plain relative names only, opens each below its own folder without
/// following any link (openat2), and stops at its limits; anything else in the stream is left out and told.
/// Does not: keep owners, times, links, or execute bits.
/// Threads: any.
#pragma once

#include <functional>

#include "os/files.h"

namespace bowsprit::exec {

struct ArtifactLimits {
  std::uint64_t bytes = 1ULL << 30U;
  std::size_t files = 20000;
};

struct ArtifactCounts {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> left_out;  ///< "NAME: why", at most 20
};

/// Gives the next bytes into the buffer; 0 is the end.
using ByteSource = std::function<Result<std::size_t>(char* buffer, std::size_t size)>;

/// Writes every regular file and folder below `folder` to `fd`; links, devices and unreadable files are skipped.
Result<> send_artifacts(const fs::path& folder, int fd);
/// Unpacks into `folder`. What came whole before an error stays. @error bad_data  not a tar stream; timeout, os  of the
/// source
Result<ArtifactCounts> receive_artifacts(const ByteSource& source, const fs::path& folder,
                                         const ArtifactLimits& limits);

}  // namespace bowsprit::exec
