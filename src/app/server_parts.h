// SPDX-License-Identifier: Apache-2.0
/// From the configuration to the options of the parts; shared by `serve`, `presubmit` and `warm`.
#pragma once

#include <string>

#include "app/server_config.h"
#include "exec/local/local_executor.h"
#include "gerrit/client.h"

namespace bowsprit::app {

/// Reads the password's file. @error bad_config, not_found
Result<gerrit::ClientOptions> client_options(const GerritConfig& config);
exec::LocalOptions local_options(const ServerConfig& config, const gerrit::ClientOptions& client);
/// A random UUID, the name of a ProwJob.
std::string new_uuid();

}  // namespace bowsprit::app
