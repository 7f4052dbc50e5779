// SPDX-License-Identifier: Apache-2.0
#include "app/presubmit.h"

#include <condition_variable>
#include <mutex>

#include "app/change_look.h"
#include "app/engine.h"
#include "app/gatekeeper.h"
#include "app/job_table.h"
#include "app/outcome.h"
#include "app/run_files.h"
#include "app/server_parts.h"
#include "artifact/result_json.h"
#include "base/log.h"
#include "base/strings.h"
#include "exec/local/local_executor.h"
#include "gerrit/client.h"
#include "os/files.h"
#include "report/inline_comments.h"
#include "trigger/trigger.h"

namespace bowsprit::app {
namespace {

/// Waits for one run.
class Waiter final : public exec::RunObserver {
 public:
  explicit Waiter(const std::function<void(std::string_view)>& on_output) : on_output_(on_output) {}
  void on_phase(const std::string& id, std::string_view phase) override { log_info("presubmit", "{}: {}", id, phase); }
  void on_output(const std::string&, std::string_view bytes) override {
    if (on_output_) on_output_(bytes);
  }
  void on_finished(const std::string&, exec::RunOutcome outcome) override {
    const std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
    done_.notify_all();
  }
  exec::RunOutcome wait() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return outcome_.has_value(); });
    return *outcome_;
  }

 private:
  const std::function<void(std::string_view)>& on_output_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::optional<exec::RunOutcome> outcome_;
};

}  // namespace

Result<PresubmitResult> presubmit(const PresubmitOptions& options) {
  const ServerConfig& config = options.config;
  TRY_ASSIGN(const auto jobs, JobTable::load(config));
  TRY_ASSIGN(const auto login, client_options(config.gerrit));
  TRY_ASSIGN(auto client, gerrit::Client::create(login));
  TRY_ASSIGN(const auto change, client.change(options.change));
  TRY_ASSIGN(const Fd lock, lock_state(config.state));  // recover() below ends whatever runs in this folder
  TRY_ASSIGN(auto executor, exec::LocalExecutor::create(local_options(config, login)));
  TRY(executor->recover());
  trigger::Input input;
  input.change = change;
  input.change.work_in_progress = false;  // asked for by hand
  input.jobs = jobs->jobs_for(change.project);
  input.patchset_is_new = true;
  const auto decided = trigger::decide(input);
  PresubmitResult result;
  std::int64_t id = unix_millis(SystemClock::now());
  for (const auto& decision : decided.decisions) {
    log_info("presubmit", "job {}: {} ({})", decision.job, decision.run ? "runs" : "does not run", decision.reason);
    if (!decision.run) continue;
    const auto& job = input.jobs[decision.index];
    TRY_ASSIGN(const TempDir temp, TempDir::create("bowsprit-presubmit"));
    const fs::path folder = options.artifacts.empty() ? temp.path() : options.artifacts / job.name;
    TRY(remove_tree(folder));
    TRY(make_dirs(folder));
    auto run = run_of(change, config.gerrit.url);
    run.id = ++id;
    Waiter waiter(options.on_output);
    executor->start({.id = std::to_string(id),
                     .prow_job_id = new_uuid(),
                     .job = job,
                     .refs = refs_of(run, job),
                     .artifacts = folder},
                    waiter);
    const auto outcome = waiter.wait();
    std::optional<RunResult> from_job;
    if (const auto text = read_file(folder / "result.json", artifact::kMaxResultBytes))
      if (auto read = artifact::read_result_json(*text)) from_job = std::move(*read);
    auto judged = judge_outcome(outcome, from_job);
    TRY(write_file_atomic(folder / "result.json", artifact::result_json(judged.result)));
    result.jobs.push_back({job.name, judged.state, {}, job.optional, judged.result.summary, std::move(judged.result)});
  }
  if (result.jobs.empty())
    return fail_by(Blame::configuration, ErrorKind::not_found, "change {}: no job runs for it", options.change);
  const std::string key = sha256_hex(fmt::format("{} {} {}", config.gerrit.url, change.revision, id)).substr(0, 16);
  result.text = report::make_report(result.jobs, {.key = key});
  if (options.report) {
    store::Report row;
    row.change = change.number;
    row.patchset = change.patchset;
    row.revision = change.revision;
    row.label = config.label;
    row.key = key;
    row.message = result.text.message;
    row.vote = result.text.vote;
    row.findings = report::findings_json(report::findings_of(result.jobs));
    post_report(client, row);
    if (row.state != store::Report::State::sent)
      return fail(ErrorKind::unavailable, "report on change {}: {}", options.change, row.error);
    result.reported = row.error.empty() ? "reported" : "reported, but: " + row.error;
  }
  return result;
}

}  // namespace bowsprit::app
