// SPDX-License-Identifier: Apache-2.0
/// What the web server may ask of the engine, and the numbers of /metrics.
/// Threads: called on the web thread; asks the engine by message and waits a little for its answer.
#pragma once

#include "app/engine.h"
#include "app/gatekeeper.h"
#include "artifact/spool_store.h"
#include "base/metrics.h"
#include "web/server.h"

namespace bowsprit::app {

/// Declares every metric of the server; docs/operators.md lists them.
void describe_metrics(Metrics& metrics);

class WebBackend final : public web::Backend {
 public:
  /// @param spool  null: artifacts go to a folder
  WebBackend(Engine& engine, Metrics& metrics, milliseconds poll_interval, const artifact::SpoolStore* spool)
      : engine_(engine), metrics_(metrics), poll_interval_(poll_interval), spool_(spool) {}

  /// The watcher starts after the web server and ends before it; null: none.
  void set_watcher(const Watcher* watcher) { watcher_ = watcher; }

  Result<std::int64_t> rerun(std::int64_t run) override;
  Result<> abort(std::int64_t run) override;
  std::optional<std::filesystem::path> live_log(std::int64_t run) override;
  Result<Json> prow_job(const store::Run& run) override;
  void update_metrics() override;
  std::optional<std::string> trouble() override;

 private:
  Engine& engine_;
  Metrics& metrics_;
  milliseconds poll_interval_;
  const artifact::SpoolStore* spool_;
  std::atomic<const Watcher*> watcher_{nullptr};
};

}  // namespace bowsprit::app
