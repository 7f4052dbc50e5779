// SPDX-License-Identifier: Apache-2.0
#include "trigger/trigger.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "prow/match.h"
#include "prow/regex.h"
#include "trigger/changed_files.h"
#include "trigger/command.h"

namespace bowsprit::trigger {

namespace {

using prow::Presubmit;

/// Why a job may start: what asked for it, and whether that overrules run_if_changed and the like.
struct Cause {
  std::string why;
  std::string key;
  bool forced = false;
  std::string refused = {};  ///< not empty: why it does not count
};

struct ReadMessage {
  Commands commands;
  std::string key;
  int author = 0;
  std::string refused;  ///< not empty: why its commands do not count
  bool fits_a_job = false;
};

/// The first command of the message that is meant for the job.
std::optional<Cause> cause_in(const ReadMessage& message, const Presubmit& job, const KnownRuns& known) {
  const Commands& commands = message.commands;
  const auto cause = [&message](std::string why, bool forced) {
    return Cause{std::move(why), message.key, forced, message.refused};
  };
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
  if (!prow::runs_on_branch(job, change.branch, &out.reason)) {
    if (!causes.empty()) out.cause = causes.front().key;
    return out;
  }
  for (const Cause& cause : causes) {
    if (out.cause.empty()) out.cause = cause.key;
    if (!cause.refused.empty()) {
      if (out.reason.empty()) out.reason = cause.refused;
      continue;
    }
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
    out.trigger_key = out.cause = cause.key;
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
         "\n* `/test all` runs those that run by themselves\n* `/retest` runs those that failed on this patch set, "
         "`/retest-required` the required ones of them\n* `/test-manual-required` runs the required ones that run on "
         "command only\n* `/abort` ends what runs, `/abort NAME` one job\n";
}

/// The answer that an /abort deserves, or nullopt where it ended something.
std::optional<std::string> answer_abort(const Input& input, const Commands& commands) {
  for (const std::string& name : commands.abort)
    if (std::ranges::none_of(input.jobs, [&name](const Presubmit& job) { return job.name == name; }))
      return help(input, fmt::format("There is no job `{}`.", shorten(printable(name), 100)));
  return std::nullopt;
}

/// The answer that a message deserves, or nullopt.
std::optional<std::string> answer(const Input& input, const ReadMessage& message,
                                  const std::vector<Decision>& decisions) {
  const Commands& commands = message.commands;
  const bool started = std::any_of(decisions.begin(), decisions.end(), [&](const Decision& decision) {
    return decision.run && decision.trigger_key == message.key;
  });
  if (commands.asks_help) return help(input, "");
  if (!message.refused.empty()) return std::nullopt;
  if (auto text = answer_abort(input, commands)) return text;
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

/// Prow's gate of gerrit.allowed_presubmit_trigger_re; what is bowsprit's own is not for it to shut out.
bool is_allowed(const Input& input, const gerrit::Message& message, const Commands& commands) {
  return input.allowed_trigger.empty() || commands.retest || commands.test_all || commands.ready ||
         commands.ok_to_test || commands.abort_all || !commands.abort.empty() ||
         prow::regex_matches(input.allowed_trigger, message.text);
}

/// The messages that count, each with its commands; /ok-to-test counts for the messages after it.
std::vector<ReadMessage> read_messages(const Input& input, std::string& approved) {
  std::vector<ReadMessage> out;
  for (const gerrit::Message& message : input.new_messages) {
    ReadMessage read{
        .commands = commands_in(message), .key = "message:" + message.id, .author = message.author, .refused = {}};
    if (!is_allowed(input, message, read.commands)) continue;
    if (read.commands.ok_to_test && approved.empty() && may_approve(input.policy, message.author))
      approved = fmt::format("account {}", message.author);
    // Leaving "work in progress" is no command: whoever Gerrit lets do it, the patch set then runs by itself or waits.
    auto refused = read.commands.ready ? why_it_waits(input.policy, input.change, !approved.empty())
                                       : why_not_heeded(input.policy, input.change, !approved.empty(), message.author);
    read.refused = std::move(refused).value_or("");
    out.push_back(std::move(read));
  }
  return out;
}

/// The /abort after message `index` (-1: after the upload) that takes back what it asked of the job; nullopt: none.
std::optional<std::string> taken_back(const std::vector<ReadMessage>& messages, std::ptrdiff_t index,
                                      const std::string& job) {
  for (auto it = messages.begin() + (index + 1); it != messages.end(); ++it)
    if (it->refused.empty() &&
        (it->commands.abort_all || std::ranges::find(it->commands.abort, job) != it->commands.abort.end()))
      return fmt::format("/abort by account {}", it->author);
  return std::nullopt;
}

/// What each /abort asks for.
std::vector<Abort> aborts_of(const std::vector<ReadMessage>& messages) {
  std::vector<Abort> out;
  for (const ReadMessage& message : messages) {
    if (!message.refused.empty()) continue;
    const std::string why = fmt::format("/abort by account {}", message.author);
    if (message.commands.abort_all) out.push_back({"", why});
    for (const std::string& name : message.commands.abort) out.push_back({name, why});
  }
  return out;
}

}  // namespace

Output decide(const Input& input) {
  Output out;
  out.approved = input.approved;
  const gerrit::Change& change = input.change;
  const bool open = change.status.empty() || change.status == "NEW";
  std::vector<ReadMessage> messages;
  if (open) messages = read_messages(input, out.approved);
  const std::string waits = why_it_waits(input.policy, change, !out.approved.empty()).value_or("");
  const bool automatic = open && input.patchset_is_new && !change.work_in_progress;
  out.patchset_done = open && !change.work_in_progress && waits.empty();
  out.aborts = aborts_of(messages);

  const std::vector<std::string> files = changed_paths(change);
  const std::string otherwise = !open ? fmt::format("the change is {}", change.status)
                                : change.work_in_progress
                                    ? "the change is work in progress"
                                    : fmt::format("patch set {} was handled before", change.patchset);
  for (std::size_t i = 0; i < input.jobs.size(); ++i) {
    const Presubmit& job = input.jobs[i];
    std::vector<Cause> causes;
    for (std::size_t k = 0; k < messages.size(); ++k) {
      auto cause = cause_in(messages[k], job, input.known);
      messages[k].fits_a_job |= cause.has_value();
      if (!cause) continue;
      if (const auto by = taken_back(messages, static_cast<std::ptrdiff_t>(k), job.name)) cause->refused = *by;
      causes.push_back(std::move(*cause));
    }
    if (automatic && !job.needs_command())
      causes.push_back({fmt::format("new patch set {}", change.patchset), "patchset", false,
                        taken_back(messages, -1, job.name).value_or(waits)});
    Decision decision = decide_job(job, causes, change, files, otherwise);
    decision.index = i;
    // Why a job did not run on a new patch set is worth keeping, also where nothing asked for it.
    if (decision.cause.empty() && open && input.patchset_is_new) decision.cause = "patchset";
    out.decisions.push_back(std::move(decision));
  }
  for (const ReadMessage& message : messages)
    if (auto text = answer(input, message, out.decisions)) {
      out.comments.push_back({message.key, std::move(*text)});
      break;  // one answer says it all
    }
  if (automatic && !waits.empty()) out.comments.push_back({"waits", fmt::format("This change {}.\n", waits)});
  return out;
}

}  // namespace bowsprit::trigger
