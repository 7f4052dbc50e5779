// SPDX-License-Identifier: Apache-2.0
#include "app/artifacts.h"

#include "artifact/store_url.h"
#include "base/log.h"

namespace bowsprit::app {

Result<Artifacts> open_artifacts(const ServerConfig& config) {
  const ArtifactsConfig& from = config.artifacts;
  const std::string& place = from.store;
  Artifacts out;
  if (place.empty()) {
    TRY_ASSIGN(auto folder, artifact::FolderStore::open(config.state / "artifacts"));
    out.store = std::make_unique<artifact::FolderStore>(std::move(folder));
    out.here = out.store.get();
    return out;
  }
  TRY_ASSIGN(const auto url, artifact::parse_store_url(place));
  TRY_ASSIGN(auto store, artifact::open_store({.store = place,
                                               .credentials_file = from.credentials_file,
                                               .endpoint = from.endpoint,
                                               .region = from.region,
                                               .path_style = from.path_style,
                                               .ca_file = from.ca_file}));
  if (url.kind == artifact::StoreUrl::Kind::folder) {
    out.store = std::move(store);
    out.here = out.store.get();
    return out;
  }
  TRY_ASSIGN(auto spool, artifact::SpoolStore::open({.folder = config.state / "spool", .cache = from.cache.count},
                                                    std::move(store)));
  out.spool = spool.get();
  out.here = &spool->here();
  out.store = std::move(spool);
  out.url = place;
  while (out.url.ends_with('/')) out.url.pop_back();
  log_info("serve", "artifacts go to {}", out.url);
  out.url += '/';
  return out;
}

}  // namespace bowsprit::app
