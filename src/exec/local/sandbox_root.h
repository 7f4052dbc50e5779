// SPDX-License-Identifier: Apache-2.0
/// The root folder of a sandbox: what of the host or of an image is bound into it, and the few files made for it.
/// Does not: mount anything (runc does, from oci_config.h).
/// Threads: any.
#pragma once

#include "exec/local/oci_config.h"

namespace bowsprit::exec {

/// Where the bowsprit program itself is found by jobs; its folder comes first in PATH.
inline constexpr const char* kToolsFolder = "/bowsprit";
inline constexpr const char* kPath = "/bowsprit:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Makes `root` for a job that sees `image_root` ("/" is the host): symbolic links, mount points and files now, the
/// rest as binds in the result. `files` are written as they are, executable.
Result<std::vector<SandboxBind>> make_sandbox_root(const fs::path& root, const fs::path& image_root,
                                                   const fs::path& bowsprit,
                                                   const std::map<std::string, std::string>& files);

}  // namespace bowsprit::exec
