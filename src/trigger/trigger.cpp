// SPDX-License-Identifier: Apache-2.0
#include "trigger/trigger.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "prow/match.h"
#include "prow/regex.h"
#include "trigger/command.h"

namespace bowsprit::trigger {

namespace {

using prow::Presubmit;

/// Why a job may start: what asked for it, and whether that overrules run_if_changed and the like.
struct Cause {
  std::string why;
  std::string key;
  bool forced = false;
};

struct ReadMessage {
  Commands commands;
  std::string key;
  bool fits_a_job = false;
};

/// "run_if_changed 'x' matches lib/x.c", or nullopt where no changed file lets it run; `why_not` is filled then.
std::optional<std::string> changed_files_say(const Presubmit& job, const std::vector<std::string>& files,
                                             std::string& why_not) {
  const bool wanted = !job.run_if_changed.empty();
  const std::string& pattern = wanted ? job.run_if_changed : job.skip_if_only_changed;
  for (const std::string& file : files)
    if (prow::regex_matches(pattern, file) == wanted)
      return wanted ? fmt::format("run_if_changed '{}' matches {}", pattern, file)
                    : fmt::format("skip_if_only_changed '{}' does not match {}", pattern, file);
  why_not = files.empty() ? "no file is changed"
            : wanted      ? fmt::format("run_if_changed '{}' matches no changed file", pattern)
                          : fmt::format("skip_if_only_changed '{}' matches every changed file", pattern);
  return std::nullopt;
}

/// The first command of the message that is meant for the job.
std::optional<Cause> cause_in(const ReadMessage& message, const Presubmit& job, const KnownRuns& known) {
  const Commands& commands = message.commands;
  const auto cause = [&message](std::string why, bool forced) { return Cause{std::move(why), message.key, forced}; };
  if (!commands.text.empty() && prow::regex_matches(job.trigger, commands.text)) return cause(job.rerun_command, true);
  const bool failed = known.failed.contains(job.name);
  if (commands.retest && failed) return cause("/retest, it failed", true);
  if (commands.retest_required && failed && !job.optional) return cause("/retest-required, it failed", true);
  if (commands.test_manual_required && !job.optional && job.needs_command())
    return cause("/test-manual-required", true);
  if (commands.test_all && !job.needs_command()) return cause("/test all", false);
  if (commands.ready && !job.needs_command() && !known.has(job.name)) return cause("ready for review", false);
  return std::nullopt;
}

/// The first cause that lets the job run; else the reason of the first one, or of there being none.
Decision decide_job(const Presubmit& job, const std::vector<Cause>& causes, const gerrit::Change& change,
                    const std::vector<std::string>& files, std::string_view otherwise) {
  Decision out{.job = job.name};
  if (!prow::runs_on_branch(job, change.branch, &out.reason)) return out;
  for (const Cause& cause : causes) {
    std::string why_not;
    std::string condition;
    if (!cause.forced) {
      const auto matched =
          job.always_run ? std::optional<std::string>("always_run") : changed_files_say(job, files, why_not);
      if (!matched) {
        if (out.reason.empty()) out.reason = why_not;
        continue;
      }
      condition = ", " + *matched;
    }
    out.run = true;
    out.reason = cause.why + condition;
    out.trigger_key = cause.key;
    return out;
  }
  if (out.reason.empty())
    out.reason = job.needs_command() ? fmt::format("only on command ({})", job.rerun_command) : std::string(otherwise);
  return out;
}

std::string list_commands(const Input& input, std::string_view title, bool optional) {
  std::string lines;
  for (const Presubmit& job : input.jobs) {
    if (job.optional != optional || !prow::runs_on_branch(job, input.change.branch)) continue;
    lines += fmt::format("* `{}`{}\n", job.rerun_command, job.needs_command() ? "" : " (also runs by itself)");
  }
  return lines.empty() ? lines : fmt::format("\n{}\n{}", title, lines);
}

std::string help(const Input& input, const std::string& note) {
  std::string text = note.empty() ? "" : note + "\n";
  const std::string lists =
      list_commands(input, "Required jobs:", false) + list_commands(input, "Optional jobs:", true);
  if (lists.empty())
    return text + fmt::format("No job is configured for branch {} of {}.", input.change.branch, input.change.project);
  return text + "Commands, each on a line of its own:\n" + lists +
         "\n* `/test all` runs those that run by themselves\n* `/retest` runs those that failed on this patch set\n";
}

/// The answer that a message deserves, or nullopt.
std::optional<std::string> answer(const Input& input, const ReadMessage& message,
                                  const std::vector<Decision>& decisions) {
  const Commands& commands = message.commands;
  const bool started = std::any_of(decisions.begin(), decisions.end(), [&](const Decision& decision) {
    return decision.run && decision.trigger_key == message.key;
  });
  if (commands.asks_help) return help(input, "");
  if (commands.test_without_name) return help(input, "`/test` needs the name of a job.");
  if (commands.retest_with_name)
    return help(input, "`/retest` takes no name: it runs what failed. For one job there is `/test`.");
  if (started) return std::nullopt;
  if (!commands.named.empty()) {
    // It names a job that may not run here: say why instead of denying that it exists.
    std::string reasons;
    for (std::size_t i = 0; i < decisions.size(); ++i)
      if (!decisions[i].run && prow::regex_matches(input.jobs[i].trigger, commands.text))
        reasons += fmt::format("`{}` does not run: {}.\n", decisions[i].job, decisions[i].reason);
    if (!reasons.empty()) return reasons;
    if (!message.fits_a_job)
      return help(input, fmt::format("There is no job `{}`.", shorten(printable(commands.named), 100)));
  }
  if (commands.test_all && !message.fits_a_job) return help(input, "No job runs on `/test all`.");
  return std::nullopt;
}

}  // namespace

Output decide(const Input& input) {
  Output out;
  const gerrit::Change& change = input.change;
  const bool open = change.status.empty() || change.status == "NEW";
  const bool automatic = open && input.patchset_is_new && !change.work_in_progress;
  out.patchset_done = open && !change.work_in_progress;

  std::vector<std::string> files;
  for (const gerrit::ChangedFile& file : change.files) {
    files.push_back(file.path);
    if (file.status == 'R' && !file.old_path.empty()) files.push_back(file.old_path);
  }
  std::vector<ReadMessage> messages;
  if (open)
    for (const gerrit::Message& message : input.new_messages)
      messages.push_back({commands_in(message), "message:" + message.id});

  const std::string otherwise = !open ? fmt::format("the change is {}", change.status)
                                : change.work_in_progress
                                    ? "the change is work in progress"
                                    : fmt::format("patch set {} was handled before", change.patchset);
  for (std::size_t i = 0; i < input.jobs.size(); ++i) {
    const Presubmit& job = input.jobs[i];
    std::vector<Cause> causes;
    for (ReadMessage& message : messages) {
      auto cause = cause_in(message, job, input.known);
      message.fits_a_job |= cause.has_value();
      if (cause) causes.push_back(std::move(*cause));
    }
    if (automatic && !job.needs_command())
      causes.push_back({fmt::format("new patch set {}", change.patchset), "patchset"});
    out.decisions.push_back(decide_job(job, causes, change, files, otherwise));
    out.decisions.back().index = i;
  }
  for (const ReadMessage& message : messages)
    if (auto text = answer(input, message, out.decisions)) {
      out.comments.push_back(std::move(*text));
      break;  // one answer says it all
    }
  return out;
}

}  // namespace bowsprit::trigger
