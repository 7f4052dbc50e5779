// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <algorithm>

#include "base/strings.h"
#include "report/details.h"

namespace bowsprit::report {
namespace {

using sched::JobState;

constexpr std::size_t kNameLimit = 120;
constexpr std::size_t kUrlLimit = 500;
constexpr std::size_t kKeyLimit = 100;
constexpr std::size_t kNote = 120;      // bytes of the longest note on jobs left out
constexpr std::size_t kMostItems = 30;  // of a job; more is a page's work
constexpr std::size_t kShortItem = 40;  // bytes of a short one

/// In the order in which jobs are listed.
enum class Fault { change, infrastructure, unfinished, none };

/// Who is to blame for a job that did not pass. A job's own result can only make things worse than its state: code under test writes it.
Fault fault_of(const JobLine& job) {
  switch (job.state) {
    case JobState::triggered:
    case JobState::pending: return Fault::unfinished;
    case JobState::aborted:
    case JobState::error: return Fault::infrastructure;
    case JobState::failure: return job.result && vote(job.result->verdict) == 0 ? Fault::infrastructure : Fault::change;
    case JobState::success: break;
  }
  if (!job.result || vote(job.result->verdict) > 0) return Fault::none;
  return vote(job.result->verdict) < 0 ? Fault::change : Fault::infrastructure;
}

int vote_of(const std::vector<JobLine>& jobs) {
  bool required = false;
  bool undecided = false;
  for (const auto& job : jobs) {
    if (job.optional) continue;
    required = true;
    const Fault fault = fault_of(job);
    if (fault == Fault::change) return -1;
    undecided |= fault != Fault::none;
  }
  return required && !undecided ? 1 : 0;
}

std::string_view icon_of(JobState state) {
  if (state == JobState::success) return "✔️";
  if (state == JobState::failure) return "❌";
  if (state == JobState::triggered || state == JobState::pending) return "⏳";
  return "🚫";
}

/// Prow allows these characters only in a job's name; its parser wants no space.
std::string safe_name(std::string_view name) {
  std::string out(name.substr(0, kNameLimit));
  for (char& c : out)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
          c == '_'))
      c = '_';
  return out.empty() ? "_" : out;
}

/// An URL that can stand in "[name](url)"; empty where it is none.
std::string safe_url(std::string_view url) {
  if (url.size() > kUrlLimit || (!url.starts_with("http://") && !url.starts_with("https://"))) return {};
  std::string out;
  for (const char c : url) {
    const bool plain = c > ' ' && c < 127 && std::string_view("()[]<>`\"\\").find(c) == std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string job_line(const JobLine& job, bool with_url) {
  const std::string url = with_url ? safe_url(job.url) : std::string();
  const std::string name = safe_name(job.job);
  return fmt::format("{} {} {}\n", icon_of(job.state), url.empty() ? name : fmt::format("[{}]({})", name, url),
                     upper_case(to_string(job.state)));
}

/// The jobs' lines within `budget` bytes: first all without URL, dropped from the end where even that is too much; then URLs, first job first.
std::string job_lines(const std::vector<const JobLine*>& jobs, std::size_t budget) {
  std::vector<std::string> lines;
  std::size_t size = 0;
  for (const auto* job : jobs) {
    lines.push_back(job_line(*job, false));
    size += lines.back().size();
  }
  if (size > budget) {
    std::size_t failed = 0;
    const std::size_t all = lines.size();
    while (!lines.empty() && size + kNote > budget) {
      failed += jobs[lines.size() - 1]->state == JobState::success ? 0 : 1;
      size -= lines.back().size();
      lines.pop_back();
    }
    return join(lines, "") + fmt::format("[NOTE FROM PROW: {} of {} jobs left out, {} of them not passed]\n",
                                         all - lines.size(), all, failed);
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string linked = job_line(*jobs[i], true);
    if (size - lines[i].size() + linked.size() > budget) continue;
    size += linked.size() - lines[i].size();
    lines[i] = linked;
  }
  return join(lines, "");
}

std::string why_no_vote(const std::vector<JobLine>& jobs) {
  std::vector<std::string> names;
  for (const auto& job : jobs)
    if (!job.optional && fault_of(job) == Fault::infrastructure) names.push_back(safe_name(job.job));
  if (names.empty()) return {};
  const std::size_t more = names.size() > 3 ? names.size() - 3 : 0;
  names.resize(names.size() - more);
  return fmt::format("No vote: {}{} ended by the infrastructure, not by this change.\n", join(names, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

}  // namespace

ReportText make_report(const std::vector<JobLine>& jobs, const Options& options) {
  const std::size_t limit = std::max(options.limit, kSmallestLimit);
  const auto passed = static_cast<std::size_t>(std::ranges::count(jobs, JobState::success, &JobLine::state));
  ReportText report;
  report.vote = vote_of(jobs);

  std::vector<const JobLine*> order;
  for (const auto& job : jobs) order.push_back(&job);
  std::ranges::stable_sort(order, {}, [](const JobLine* job) { return fault_of(*job); });

  std::string head = fmt::format(
      "{} {} out of {} pjs passed! 👉 Comment `/retest` to rerun only failed tests (if any), or `/test all` to rerun "
      "all tests.\n",
      kHeaderStart, passed, jobs.size());
  std::string note = report.vote == 0 ? why_no_vote(jobs) : std::string();
  if (!note.empty()) note.insert(0, "\n");
  std::string key;
  if (!options.key.empty()) {
    std::string word = printable(shorten(options.key, kKeyLimit));
    std::ranges::replace(word, '\n', ' ');
    key = fmt::format("\n{}{}\n", kKeyStart, word);
  }
  // Where hardly anything fits, the jobs come first.
  if (head.size() + kNote + note.size() + key.size() > limit) note.clear();
  if (head.size() + kNote + key.size() > limit) key.clear();
  const std::string tail = note + key;

  const auto tells = [](const JobLine* job) {
    const Fault fault = fault_of(*job);
    // What is excused is told too: people who merge on this vote shall see what it leaves out.
    const bool excused = job->result && job->result->verdict == Verdict::no_new_failures;
    return fault == Fault::change || fault == Fault::infrastructure || excused;
  };
  // No more items than could fit, so that many jobs with many failures cost no time.
  const auto telling = static_cast<std::size_t>(std::ranges::count_if(order, tells));
  const std::size_t items =
      std::clamp<std::size_t>(limit / kShortItem / std::max<std::size_t>(telling, 1), 1, kMostItems);
  std::vector<JobDetails> details;
  for (const auto* job : order)
    if (tells(job))
      details.push_back(details_of(*job, safe_name(job->job), fault_of(*job) == Fault::infrastructure, items));
  // Lines of jobs that passed may not push out why others failed: a third of the room is kept for that.
  const std::size_t room = limit - head.size() - tail.size();
  std::size_t failing_lines = 0;
  for (const auto* job : order)
    if (fault_of(*job) != Fault::none) failing_lines += job_line(*job, true).size();
  const std::size_t wanted = full_size(details);
  const std::size_t kept = std::min({wanted, limit / 3, room - std::min(room, std::max(failing_lines, kNote))});
  head += job_lines(order, room - kept);
  head += write_details(details, limit - head.size() - tail.size());
  report.message = head + tail;
  return report;
}

}  // namespace bowsprit::report
