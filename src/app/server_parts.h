// SPDX-License-Identifier: Apache-2.0
/// From the configuration to the options of the parts; shared by `serve`, `presubmit` and `warm`.
#pragma once

#include <string>

#include "app/server_config.h"
#include "exec/local/local_executor.h"
#include "gerrit/client.h"
#include "os/fd.h"

namespace bowsprit::app {

/// Reads the password's file. @error bad_config, not_found
Result<gerrit::ClientOptions> client_options(const GerritConfig& config);
exec::LocalOptions local_options(const ServerConfig& config, const gerrit::ClientOptions& client);
/// Holds the state folder while the Fd lives: two programs on one would start every job twice and end each other's sandboxes. A record
/// lock, since those belong to the process alone: a child that outlives a killed server by a moment does not hold it.
/// @error conflict (blame configuration)  another program has it
Result<Fd> lock_state(const std::filesystem::path& state);
/// A random UUID, the name of a ProwJob.
std::string new_uuid();

}  // namespace bowsprit::app
