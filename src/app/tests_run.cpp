// SPDX-License-Identifier: Apache-2.0
#include "app/tests_run.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <variant>

#include "base/channel.h"
#include "base/strings.h"
#include "os/files.h"
#include "verdict/isolation.h"

namespace bowsprit::app {
namespace {

/// Asking a kernel for its list of tests takes a tenth of a second; a broken one must not cost the time limit again.
constexpr milliseconds kListLimit{10'000};
constexpr std::size_t kMostConsole = std::size_t{64} << 20U;  // of one boot, in the file of all

SteadyTime now() { return std::chrono::steady_clock::now(); }

milliseconds until(SteadyTime deadline) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(deadline - now()));
}

/// Passes results on, and knows since when the suite that runs now has been running.
class Listener final : public ktap::EventSink {
 public:
  explicit Listener(OnCase on_case) : on_case_(std::move(on_case)), since_(now()) {}
  void suite_started(std::string_view, std::size_t) override { since_ = now(); }
  void suite_finished(const ktap::TestNode&) override { since_ = now(); }
  void case_finished(std::string_view path, const ktap::TestNode& node) override {
    if (on_case_) on_case_(std::string(path), node);
  }
  [[nodiscard]] bool over(milliseconds limit) const { return now() - since_ > limit; }

 private:
  OnCase on_case_;
  SteadyTime since_;
};

ktap::EndOfInput end_of(const kernel::BootOutcome& outcome) {
  if (outcome.end == kernel::BootEnd::timed_out || outcome.end == kernel::BootEnd::flooded)
    return ktap::EndOfInput::timed_out;
  return outcome.status.signal != 0 ? ktap::EndOfInput::killed : ktap::EndOfInput::exited;
}

struct BootResult {
  BootRecord record;
  bool complete = false;  ///< all that was announced ran, and the kernel ended by itself
};

Result<BootResult> boot_once(const TestsRunOptions& options, const BootKernel& boot, const std::string& glob,
                             const fs::path& console_file, milliseconds limit, OnCase on_case) {
  Listener listener(std::move(on_case));
  ktap::Console console({}, &listener);
  BootRequest request{.console = console_file, .limit = limit};
  if (!glob.empty()) request.arguments.push_back("kunit.filter_glob=" + glob);
  request.give_up = [&] { return listener.over(options.suite_limit); };
  TRY_ASSIGN(const auto outcome, boot(request, [&](std::string_view bytes) { console.feed(bytes); }));
  if (outcome.end == kernel::BootEnd::stopped)
    return fail(ErrorKind::cancelled, "stopped by a signal while the tests ran");
  const bool complete =
      console.tests_complete() && outcome.end == kernel::BootEnd::exited && outcome.status.signal == 0;
  const auto hit = listener.over(options.suite_limit) ? options.suite_limit : limit;
  return BootResult{{glob, std::move(console).finish(end_of(outcome)), outcome, hit}, complete};
}

/// What the kernel says it would run; nullopt where it does not say.
std::optional<Manifest> list_tests(const TestsRunOptions& options) {
  const auto dir = TempDir::create("bowsprit-list");
  if (!dir) return std::nullopt;
  std::string text;
  BootRequest request{.arguments = {"kunit.action=list"},
                      .console = dir->path() / "list.log",
                      .limit = std::min(kListLimit, options.limit)};
  const auto outcome = options.boot(request, [&](std::string_view bytes) { text += bytes; });
  if (!outcome || outcome->end != kernel::BootEnd::exited) return std::nullopt;
  auto manifest = parse_manifest(text);
  return manifest.suites.empty() ? std::nullopt : std::optional(std::move(manifest));
}

/// A boot's console behind the others, with a line that says what it is.
void append_console(const fs::path& all, const std::string& glob, const fs::path& one) {
  const auto fd = Fd::open(all.string(), O_WRONLY | O_CREAT | O_APPEND);
  const auto text = read_file(one, kMostConsole);
  if (!fd) return;
  [[maybe_unused]] const auto written =
      fd->write_all(fmt::format("\n[bowsprit: another boot, kunit.filter_glob={}]\n{}", glob,
                                text ? *text : fmt::format("[{}]\n", text.error().text())));
}

struct CaseSeen {
  std::string path;
  ktap::TestNode node;
};
struct WorkerEnd {
  std::size_t index = 0;
  Result<BootResult> result;
};
using News = std::variant<CaseSeen, WorkerEnd>;

/// Boots all globs on as many threads as may be, and tells `on_case` on this one.
Result<std::vector<BootRecord>> boot_all(const TestsRunOptions& options, const std::vector<std::string>& globs,
                                         SteadyTime deadline, const OnCase& on_case) {
  TRY_ASSIGN(const auto dir, TempDir::create("bowsprit-boots"));
  const auto file_of = [&](std::size_t index) { return dir.path() / fmt::format("{}.log", index); };
  Channel<News> news;
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < globs.size(); i = next++) {
      const auto tell = [&](const std::string& path, const ktap::TestNode& node) { news.push(CaseSeen{path, node}); };
      Result<BootResult> result = fail(ErrorKind::timeout, "no time left");
      if (until(deadline).count() > 0)
        result = boot_once(options, options.boot, globs[i], file_of(i), until(deadline), tell);
      news.push(WorkerEnd{i, std::move(result)});
    }
  };
  std::vector<std::jthread> threads;
  const auto count = std::min(globs.size(), static_cast<std::size_t>(std::max(options.jobs, 1)));
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back(work);
  std::vector<std::optional<BootResult>> results(globs.size());
  std::optional<Error> error;
  for (std::size_t ended = 0; ended < globs.size();) {
    auto message = news.pop_until(now() + std::chrono::hours(1));  // each boot has its own end, far before that
    if (!message) continue;
    if (const auto* seen = std::get_if<CaseSeen>(&*message)) {
      if (on_case) on_case(seen->path, seen->node);
      continue;
    }
    auto& end = std::get<WorkerEnd>(*message);
    ++ended;
    if (end.result)
      results[end.index] = std::move(*end.result);
    else if (end.result.error().kind != ErrorKind::timeout && !error)
      error = std::move(end.result).error();
  }
  threads.clear();
  std::vector<BootRecord> out;
  for (std::size_t i = 0; i < globs.size(); ++i) {
    if (!results[i]) continue;
    append_console(options.console, globs[i], file_of(i));
    out.push_back(std::move(results[i]->record));
  }
  if (error) return std::unexpected(std::move(*error));
  return out;
}

ktap::ConsoleReport joined(const std::vector<BootRecord>& boots) {
  std::vector<ktap::ConsoleReport> reports;
  for (const auto& boot : boots) reports.push_back(boot.report);
  return join_reports(std::move(reports));
}

/// Boots until all has run that can.
Result<> run_the_rest(const TestsRunOptions& options, SteadyTime deadline, const OnCase& on_case, TestsRun& run) {
  std::set<std::string> given_up;
  while (until(deadline).count() > 0) {
    auto next = next_boots(joined(run.boots).document.suites, *run.manifest, given_up);
    const auto room = static_cast<std::size_t>(kMostBoots) - std::min<std::size_t>(kMostBoots, run.boots.size());
    if (next.globs.size() > room) next.globs.resize(room);
    if (next.globs.empty()) break;
    TRY_ASSIGN(auto records, boot_all(options, next.globs, deadline, on_case));
    for (auto& record : records) {
      name_tests(record.report, *run.manifest, record.glob);
      run.boots.push_back(std::move(record));
    }
    // What was wanted and is wanted still got its boot: it counts as never run, unless another test died in its place.
    const auto after = next_boots(joined(run.boots).document.suites, *run.manifest, given_up);
    if (after.wanted.size() >= next.wanted.size()) given_up.insert(after.wanted.begin(), after.wanted.end());
  }
  return {};
}

Result<> look_at_doubtful(const TestsRunOptions& options, SteadyTime deadline, const OnCase& on_case, TestsRun& run) {
  const auto doubtful = doubtful_culprits(joined(run.boots));
  std::vector<std::string> globs;
  for (const auto& path : doubtful) {
    const auto dot = path.rfind('.');
    globs.push_back(glob_of(path.substr(0, dot)) + "." + glob_of(path.substr(dot + 1)));
  }
  if (globs.empty() || globs.size() + run.boots.size() > kMostBoots) return {};
  TRY_ASSIGN(auto records, boot_all(options, globs, deadline, on_case));
  for (std::size_t i = 0; i < records.size() && records.size() == globs.size(); ++i) {
    const auto& suites = records[i].report.document.suites;
    const bool good = suites.size() == 1 && is_good(suites[0].status) && suites[0].children.size() == 1;
    if (!good) continue;
    for (auto& boot : run.boots) forget_case(boot.report, doubtful[i]);
    run.boots.push_back(std::move(records[i]));
  }
  return {};
}

}  // namespace

Result<std::vector<BootRecord>> boot_each(const TestsRunOptions& options, const std::vector<std::string>& globs,
                                          milliseconds limit, const OnCase& on_case) {
  return boot_all(options, globs, now() + limit, on_case);
}

Result<TestsRun> run_tests(const TestsRunOptions& options, const OnCase& on_case) {
  TestsRun run;
  TRY_ASSIGN(auto first, boot_once(options, options.first_boot ? options.first_boot : options.boot, "", options.console,
                                   options.limit, on_case));
  run.console_bytes = first.record.outcome.console_bytes;
  run.boots.push_back(std::move(first.record));
  if (first.complete) return run;
  run.manifest = list_tests(options);
  // Where it never came to its tests another boot does not either.
  if (!run.manifest || !run.boots.front().report.document.found_ktap) return run;
  name_tests(run.boots.front().report, *run.manifest, "");
  const auto deadline = now() + options.limit;
  TRY(run_the_rest(options, deadline, on_case, run));
  TRY(look_at_doubtful(options, deadline, on_case, run));
  return run;
}

std::map<std::string, std::string> boots_that_failed(const TestsRun& run) {
  std::map<std::string, std::string> out;
  for (const auto& boot : run.boots) {
    const std::function<void(const std::vector<ktap::TestNode>&, const std::string&)> look =
        [&](const std::vector<ktap::TestNode>& nodes, const std::string& prefix) {
          for (const auto& node : nodes) {
            if (node.status == ktap::TestStatus::failed) out[prefix + node.name] = boot.glob;
            look(node.children, prefix + node.name + ".");
          }
        };
    look(boot.report.document.suites, "");
  }
  return out;
}

JudgeInput judge_input(TestsRun run) {
  JudgeInput input;
  for (const auto& boot : run.boots) {
    if (end_of(boot.outcome) == ktap::EndOfInput::timed_out) {
      input.end = KernelEnd::timed_out;
      input.time_limit = std::chrono::ceil<seconds>(boot.limit);
    }
    if (end_of(boot.outcome) == ktap::EndOfInput::killed && input.end == KernelEnd::exited)
      input.end = KernelEnd::killed;
  }
  input.console = joined(run.boots);
  input.manifest = std::move(run.manifest);
  return input;
}

}  // namespace bowsprit::app
