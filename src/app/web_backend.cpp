// SPDX-License-Identifier: Apache-2.0
#include "app/web_backend.h"

#include "app/run_files.h"

namespace bowsprit::app {
namespace {

constexpr seconds kAnswerLimit{5};
constexpr std::chrono::minutes kStoreAway{5};  ///< before somebody should look; nothing is lost meanwhile

/// The engine's answer to a message that carries a promise.
template <class T>
Result<T> answer_of(std::future<Result<T>> future) {
  if (future.wait_for(kAnswerLimit) != std::future_status::ready)
    return fail(ErrorKind::unavailable, "the server is busy; try again");
  return future.get();
}

}  // namespace

void describe_metrics(Metrics& metrics) {
  using enum Metrics::Type;
  metrics.describe("bowsprit_runs_total", counter, "Finished runs by job and verdict.");
  metrics.describe("bowsprit_run_seconds", histogram, "From the start of a run to its verdict.");
  metrics.describe("bowsprit_queue_seconds", histogram, "From the moment a run was queued to its start.");
  metrics.describe("bowsprit_infra_retries_total", counter,
                   "Runs that were started again because the infrastructure failed.");
  metrics.describe("bowsprit_reports_total", counter, "Reports by what became of them: sent, dropped, waiting.");
  metrics.describe("bowsprit_runs_unfinished", gauge, "Runs that wait or run now, by state.");
  metrics.describe("bowsprit_spool_objects", gauge, "Files of runs that wait for the object store.");
  metrics.describe("bowsprit_store_failing_seconds", gauge, "How long the object store has taken nothing; 0: it does.");
  metrics.describe("bowsprit_gerrit_polls", gauge, "Polls of Gerrit since the start.");
  metrics.describe("bowsprit_gerrit_poll_failures", gauge, "Those that failed.");
  metrics.describe("bowsprit_gerrit_last_success_timestamp_seconds", gauge, "When Gerrit last answered.");
}

Result<std::int64_t> WebBackend::rerun(std::int64_t run) {
  auto answer = std::make_shared<std::promise<Result<std::int64_t>>>();
  auto future = answer->get_future();
  engine_.post(RerunAsked{run, std::move(answer)});
  return answer_of(std::move(future));
}

Result<> WebBackend::abort(std::int64_t run) {
  auto answer = std::make_shared<std::promise<Result<>>>();
  auto future = answer->get_future();
  engine_.post(AbortAsked{run, "aborted by hand", std::move(answer)});
  return answer_of(std::move(future));
}

std::optional<std::filesystem::path> WebBackend::live_log(std::int64_t run) {
  auto path = engine_.live_log(run);
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code)) return std::nullopt;
  return path;
}

Result<Json> WebBackend::prow_job(const store::Run& run) { return prow_job_of(run); }

void WebBackend::update_metrics() {
  const auto load = engine_.load();
  metrics_.set("bowsprit_runs_unfinished", load.waiting, {{"state", "triggered"}});
  metrics_.set("bowsprit_runs_unfinished", load.running, {{"state", "pending"}});
  if (spool_ != nullptr) {
    const auto state = spool_->state();
    std::chrono::duration<double> failing{0};
    if (state.failing_since) failing = SystemClock::now() - *state.failing_since;
    metrics_.set("bowsprit_spool_objects", static_cast<double>(state.waiting));
    metrics_.set("bowsprit_store_failing_seconds", failing.count());
  }
  if (const Watcher* watcher = watcher_.load()) {
    const auto& counters = watcher->counters();
    metrics_.set("bowsprit_gerrit_polls", static_cast<double>(counters.polls.load()));
    metrics_.set("bowsprit_gerrit_poll_failures", static_cast<double>(counters.failures.load()));
    metrics_.set("bowsprit_gerrit_last_success_timestamp_seconds", static_cast<double>(counters.last_success.load()));
  }
}

std::optional<std::string> WebBackend::trouble() {
  if (spool_ != nullptr) {
    const auto state = spool_->state();
    if (state.failing_since && SystemClock::now() - *state.failing_since > kStoreAway)
      return fmt::format("the object store has taken nothing since {}, {} files wait: {}",
                         rfc3339(*state.failing_since), state.waiting, state.problem);
  }
  const Watcher* watcher = watcher_.load();
  if (watcher == nullptr) return std::nullopt;
  const auto last = watcher->counters().last_success.load();
  const auto limit = std::chrono::duration_cast<seconds>(poll_interval_ * 3) + seconds(60);
  const auto silent = unix_seconds(SystemClock::now()) - last;
  if (last != 0 && silent > limit.count()) return fmt::format("Gerrit has not answered for {} s", silent);
  return std::nullopt;
}

}  // namespace bowsprit::app
