// SPDX-License-Identifier: Apache-2.0
/// The server's artifact store, as bowsprit.yaml names it: a folder, or a bucket behind a folder that outlasts its
/// absence. Does not: ask the store anything yet. Threads: values.
#pragma once

#include <memory>
#include <string>

#include "app/server_config.h"
#include "artifact/spool_store.h"

namespace bowsprit::app {

struct Artifacts {
  std::unique_ptr<artifact::ObjectStore> store;
  const artifact::SpoolStore* spool = nullptr;  ///< the store, where it is a bucket; else null
  artifact::ObjectStore* here = nullptr;        ///< what of it can be read without the network
  std::string url;  ///< of all objects, "s3://bucket/prefix/"; empty: a folder, whose names are enough
};

/// @error bad_config
Result<Artifacts> open_artifacts(const ServerConfig& config);

}  // namespace bowsprit::app
