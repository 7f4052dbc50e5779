// SPDX-License-Identifier: Apache-2.0
#include "app/outcome.h"

#include <signal.h>

#include "base/strings.h"

namespace bowsprit::app {
namespace {

using sched::JobState;

constexpr int kKilled = 128 + SIGKILL;

JobState state_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
    case Verdict::no_new_failures: return JobState::success;
    case Verdict::infra_error: return JobState::error;
    case Verdict::aborted: return JobState::aborted;
    case Verdict::failed:
    case Verdict::crashed:
    case Verdict::timed_out:
    case Verdict::missing_tests:
    case Verdict::no_tests:
    case Verdict::config_error:
    case Verdict::build_error:
    case Verdict::boot_error:
    case Verdict::merge_conflict: return JobState::failure;
  }
  return JobState::error;
}

int retries_of(Verdict verdict) { return verdict == Verdict::infra_error ? kAsOftenAsAllowed : 0; }

Judged with_verdict(RunResult result, Verdict verdict, std::string summary) {
  result.verdict = verdict;
  result.summary = std::move(summary);
  return {state_of(verdict), std::move(result), retries_of(verdict)};
}

Judged judge_exit(const exec::RunOutcome& outcome, const std::optional<RunResult>& from_job) {
  const int code = outcome.exit_code;
  // Nobody here sends it: the machine's memory ran out, or a person's kill. What the job had found out by then stays.
  if (code == kKilled && (!from_job || vote(from_job->verdict) >= 0))
    return with_verdict(from_job.value_or(RunResult{}), Verdict::infra_error,
                        "the job was killed from outside (signal 9)");
  if (!from_job) {
    // Not every job is a KUnit run: any program's exit code is a verdict of its own.
    if (code == 0) return with_verdict({}, Verdict::passed, "the job's command succeeded");
    return with_verdict({}, Verdict::failed, fmt::format("the job's command ended with exit code {}", code));
  }
  const int claimed = exit_code(from_job->verdict);
  if (code == claimed) {
    Judged judged{state_of(from_job->verdict), *from_job, retries_of(from_job->verdict)};
    // `aborted` by itself means that somebody inside the sandbox ended the run: nobody asked us to.
    if (judged.state == JobState::aborted)
      return with_verdict(*from_job, Verdict::infra_error, "the run was ended from inside its sandbox");
    return judged;
  }
  if (code == 0)
    return with_verdict(*from_job, Verdict::failed,
                        fmt::format("the job's command succeeded, but its result says {}: {}",
                                    to_string(from_job->verdict), from_job->summary));
  if (claimed == 0)
    return with_verdict(*from_job, Verdict::failed,
                        fmt::format("the tests passed, but the job's command ended with exit code {}", code));
  return {JobState::failure, *from_job, 0};
}

}  // namespace

Judged judge_outcome(const exec::RunOutcome& outcome, const std::optional<RunResult>& from_job) {
  RunResult partial = from_job.value_or(RunResult{});
  Judged judged;
  switch (outcome.state) {
    case exec::RunState::exited: judged = judge_exit(outcome, from_job); break;
    case exec::RunState::timed_out:
      judged = with_verdict(std::move(partial), Verdict::timed_out,
                            "timed out: " + (outcome.reason.empty() ? "the job ran into its limit" : outcome.reason));
      break;
    case exec::RunState::aborted:
      judged = with_verdict(std::move(partial), Verdict::aborted, outcome.reason.empty() ? "aborted" : outcome.reason);
      break;
    case exec::RunState::merge_conflict:
      for (const auto& file : outcome.conflicts)
        partial.diagnostics.push_back({Diagnostic::Kind::error, file, 0, 0, "merge conflict"});
      judged = with_verdict(std::move(partial), Verdict::merge_conflict,
                            fmt::format("does not merge with its branch; conflict in {}; rebase the change",
                                        shorten(join(outcome.conflicts, ", "), 500)));
      break;
    case exec::RunState::over_limit:
      // A limit of the machine, so no vote. The same again mostly ends the same, so it is tried once more only.
      judged = with_verdict(std::move(partial), Verdict::infra_error,
                            fmt::format("the job went over a limit of its sandbox: {}", outcome.reason));
      judged.retries = 1;
      break;
    case exec::RunState::infra_error:
      judged = with_verdict(std::move(partial), Verdict::infra_error, outcome.reason);
      break;
  }
  if (outcome.source_seconds > 0)
    judged.result.phases.insert(judged.result.phases.begin(), Phase{"source", outcome.source_seconds});
  return judged;
}

}  // namespace bowsprit::app
