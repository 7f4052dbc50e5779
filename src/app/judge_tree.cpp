// SPDX-License-Identifier: Apache-2.0
#include "app/judge_tree.h"

#include <algorithm>
#include <array>

#include "app/compare_base.h"
#include "app/kept_base.h"
#include "app/kunit_py.h"
#include "app/reproduce.h"
#include "app/source_lines.h"
#include "app/tests_run.h"
#include "artifact/junit.h"
#include "artifact/kcidb.h"
#include "artifact/result_json.h"
#include "artifact/timeline.h"
#include "base/log.h"
#include "base/strings.h"
#include "kernel/boot.h"
#include "kernel/command.h"
#include "kernel/lost_option.h"
#include "kernel/memory_file.h"
#include "kernel/qemu.h"
#include "verdict/judge.h"

namespace bowsprit::app {
namespace {

using kernel::CommandEnd;

/// What an earlier run may have left in the same folder.
constexpr std::array kArtifactNames{"result.json", "kunit.log",     "build.log",   "junit_kunit.xml", "kcidb.json",
                                    ".config",     "timeline.json", "retries.log", "base.log"};
constexpr std::size_t kBuildLogTail = 8192;

Diagnostic to_diagnostic(const kernel::BuildMessage& message) {
  const bool error = message.kind == kernel::BuildMessage::Kind::error;
  return {error ? Diagnostic::Kind::error : Diagnostic::Kind::warning, message.file, message.line, message.column,
          message.text};
}

/// The last bytes of a file, from a line's start.
std::string tail_of(const fs::path& path, std::size_t bytes) {
  const auto text = read_file(path, 256U << 20U);
  if (!text) return "";
  if (text->size() <= bytes) return *text;
  const auto newline = text->find('\n', text->size() - bytes);
  return newline == std::string::npos ? text->substr(text->size() - bytes) : text->substr(newline + 1);
}

void put(const fs::path& file, const std::string& text) {
  if (auto written = write_file_atomic(file, text); !written) log_error("run", "{}", written.error().text());
}

/// A file of the tree by its path there, another one as it is.
fs::path seen_from(const fs::path& tree, const fs::path& file) {
  const auto relative = fs::absolute(file).lexically_normal().lexically_relative(tree);
  return relative.empty() || *relative.begin() == ".." ? file : relative;
}

/// One run, step by step. A step that ends the run sets the result and gives false.
class TreeRun {
 public:
  TreeRun(const JudgeTreeOptions& options, JudgeTreeWatch& watch)
      : options_(options),
        watch_(watch),
        deadline_(std::chrono::steady_clock::now() + options.build_limit),
        kbuild_({options.tree, options.build, options.jobs, options.variant.architecture, options.shortcuts,
                 options.build_kept}) {}

  RunResult run() {
    if (prepare() && choose_variant() && find_kunitconfig()) {
      const bool ran = options_.runner == Runner::kunit_py ? run_kunit_py() : configure() && build() && boot();
      if (ran) judge_console();
    }
    kernel::end_orphans();
    result_.phases = std::move(phases_);
    if (auto written = write_file_atomic(artifact("timeline.json"), timeline_.json()); !written)
      log_warn("run", "{}", written.error().text());
    result_.reproduce = reproduce_command(
        {options_.tree, wanted_.files, options_.boot_limit, options_.job_spec, options_.variant}, result_.failures);
    return std::move(result_);
  }

  /// After run(), while this lives: the kernel that was judged.
  [[nodiscard]] JudgedKernel judged_kernel() {
    Provenance from{.kunitconfig = sha256_hex(wanted_.text())};
    // kunit.py builds in a folder of its own, and is not kept.
    if (options_.runner == Runner::bowsprit) from.tools = tools_of(options_.build);
    for (const auto& file : wanted_.files) from.files.push_back(seen_from(options_.tree, file).string());
    return {[this](const fs::path& kernel, std::vector<std::string> arguments) {
              return boot_of(kernel, std::move(arguments));
            },
            kernel_, boot_arguments_, std::move(failed_in_), std::move(from)};
  }

 private:
  bool end(RunResult result) {
    // Warnings of the steps that went well belong to the result too.
    result.diagnostics.insert(result.diagnostics.end(), warnings_.begin(), warnings_.end());
    result_ = std::move(result);
    return false;
  }
  bool end(const Error& error) {
    if (error.kind == ErrorKind::cancelled) return end(aborted(error.text()));
    return end(infra_failed(error.text()));
  }

  template <class Step>
  bool phase(std::string_view name, Step step) {
    watch_.on_phase(name);
    const auto start = std::chrono::steady_clock::now();
    std::string note;
    const bool go_on = step(note);
    const auto end = std::chrono::steady_clock::now();
    phases_.push_back({std::string(name), std::chrono::duration<double>(end - start).count()});
    timeline_.end_steps(end);
    timeline_.phase(name, start, end, note);
    watch_.on_phase_end(phases_.back(), note);
    return go_on;
  }

  bool prepare();
  bool choose_variant();
  bool find_kunitconfig();
  bool configure();
  bool build();
  bool boot();
  bool run_kunit_py();
  void judge_console();
  bool went_well(const kernel::BuildStep& step, std::string_view what, bool is_configuration);
  bool end_lost(const kernel::ConfigureStep& step);
  bool run_all(BootKernel first_boot = {});
  [[nodiscard]] BootKernel boot_of(const fs::path& kernel, std::vector<std::string> arguments) const;
  [[nodiscard]] milliseconds build_time_left() const {
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(deadline_ - std::chrono::steady_clock::now()));
  }
  [[nodiscard]] fs::path artifact(const char* name) const { return options_.artifacts / name; }
  kernel::BuildWatch build_watch();
  void find_boot_arguments(const fs::path& build) {
    if (const auto config = read_file(build / ".config"))
      boot_arguments_ = kernel::quiet_boot_arguments(options_.tree, *config);
  }

  const JudgeTreeOptions& options_;
  JudgeTreeWatch& watch_;
  SteadyTime deadline_;
  kernel::Kbuild kbuild_;
  RunResult result_;
  std::vector<Phase> phases_;
  artifact::Timeline timeline_{std::chrono::steady_clock::now()};
  std::vector<Diagnostic> warnings_;
  kernel::KunitConfig wanted_;
  std::optional<kernel::BuildFolderLock> lock_;
  kernel::MemoryFolder memory_;
  Fd build_log_;
  fs::path kernel_;
  std::vector<std::string> boot_arguments_;
  TestsRun tests_;
  std::map<std::string, std::string> failed_in_;
};

bool TreeRun::prepare() {
  if (auto made = prepare_artifacts(options_.artifacts); !made) return end(made.error());
  auto log = Fd::open(artifact("build.log").string(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
  if (!log) return end(log.error());
  build_log_ = *std::move(log);
  auto lock = kernel::take_build_folder(options_.build, options_.stop_fd, [&] {
    watch_.on_note(fmt::format("waiting for another run in build folder {}", options_.build.string()));
  });
  if (!lock) return end(lock.error());
  lock_ = *std::move(lock);
  return true;
}

/// Whether there is such a kernel, and this machine has the tools for it.
bool TreeRun::choose_variant() {
  if (const auto known = kernel::check_variant(options_.variant); !known)
    return end(config_failed(known.error().text(), {{Diagnostic::Kind::config, {}, 0, 0, known.error().message}}));
  const auto tools = kernel::check_tools(*options_.variant.architecture);
  if (!tools) return end(tools.error());
  // Before minutes of building, not after.
  if (!options_.variant.architecture->qemu.empty()) return true;  // QEMU has its own memory
  auto memory = kernel::find_memory_folder(kernel::memory_folder_candidates(), kernel::kKernelMemory);
  if (!memory) return end(memory.error());
  memory_ = *std::move(memory);
  if (!memory_.note.empty()) watch_.on_note(memory_.note);
  return true;
}

bool TreeRun::find_kunitconfig() {
  auto wanted = kernel::load_kunitconfig(
      {.tree = options_.tree, .given = options_.kunitconfig, .fallback = options_.default_kunitconfig});
  if (!wanted) {
    const auto& error = wanted.error();
    const auto mark = error.mark.value_or(SourceMark{});
    return end(
        config_failed(error.text(), {{Diagnostic::Kind::config, mark.file, mark.line, mark.column, error.message}}));
  }
  wanted_ = *std::move(wanted);
  wanted_.options = kernel::override_options(std::move(wanted_.options), options_.variant.options());
  return true;
}

kernel::BuildWatch TreeRun::build_watch() {
  return {.output =
              [this](std::string_view bytes) {
                if (auto written = build_log_.write_all(bytes); !written)
                  log_warn("run", "build.log: {}", written.error().text());
                watch_.on_build_output(bytes);
              },
          .progress =
              [this](const kernel::BuildProgress& progress) {
                timeline_.step(progress.object, std::chrono::steady_clock::now());
                watch_.on_build_progress(progress);
              }};
}

/// Whether a step of the build ended well; else the run ends, by the fault of the tree, of the machine or of the clock.
bool TreeRun::went_well(const kernel::BuildStep& step, std::string_view what, bool is_configuration) {
  std::vector<Diagnostic> errors;
  for (const auto& message : step.messages)
    (message.kind == kernel::BuildMessage::Kind::error ? errors : warnings_).push_back(to_diagnostic(message));
  if (step.end == CommandEnd::stopped) return end(aborted(fmt::format("stopped by a signal during the {}", what)));
  if (step.end == CommandEnd::timed_out) {
    auto result = build_failed(std::move(errors), tail_of(artifact("build.log"), kBuildLogTail));
    result.verdict = Verdict::timed_out;
    result.summary = fmt::format("the {} did not end within {}", what, format_duration(options_.build_limit));
    return end(std::move(result));
  }
  if (step.ok) return true;
  if (!step.machine_fault.empty())
    return end(infra_failed(fmt::format("the {} failed on this machine: {}", what, step.machine_fault)));
  if (!is_configuration) return end(build_failed(std::move(errors), tail_of(artifact("build.log"), kBuildLogTail)));
  const auto first = errors.empty() ? step.status.text()
                                    : fmt::format("{}{}{}", errors[0].file,
                                                  errors[0].line > 0       ? fmt::format(":{}: ", errors[0].line)
                                                  : errors[0].file.empty() ? ""
                                                                           : ": ",
                                                  errors[0].message);
  return end(config_failed(fmt::format("the configuration failed: {}", first), std::move(errors)));
}

bool TreeRun::configure() {
  return phase("configure", [&](std::string& note) {
    const auto step = kbuild_.configure(wanted_, build_time_left(), options_.stop_fd, build_watch());
    if (!step) return end(step.error());
    note = step->skipped ? "nothing to do" : "";
    if (!went_well(*step, "configuration", /*is_configuration=*/true)) return false;
    std::error_code ignored;
    fs::copy_file(options_.build / ".config", artifact(".config"), ignored);
    return step->lost.empty() || end_lost(*step);
  });
}

/// An option that was asked for and is not there is an error: its tests would be missing without a word.
bool TreeRun::end_lost(const kernel::ConfigureStep& step) {
  const auto kconfig = kernel::read_kconfig(options_.tree, options_.variant.architecture->name);
  std::vector<Diagnostic> problems;
  std::vector<std::string> names;
  for (const auto& lost : step.lost) {
    const auto why = kernel::why_lost(kconfig, lost, step.resulting);
    problems.push_back({Diagnostic::Kind::config, lost.wanted.where.file, lost.wanted.where.line, 0,
                        lost.text() + (why.empty() ? "" : "; " + why)});
    names.push_back(lost.wanted.name);
  }
  const auto own = options_.variant.options();
  const bool of_preset = std::ranges::any_of(step.lost, [&](const kernel::LostOption& lost) {
    return std::ranges::find(own, lost.wanted.name, &kernel::ConfigOption::name) != own.end();
  });
  if (!options_.takes_lost_options.empty() && !of_preset) {
    watch_.on_note(fmt::format("{} can't have {}; {} runs what needs it", options_.variant.name(),
                               shorten(join(names, ", "), 300), options_.takes_lost_options));
    for (auto& problem : problems) {
      problem.counts = false;
      problem.message += fmt::format("; left to {}", options_.takes_lost_options);
      warnings_.push_back(std::move(problem));
    }
    return true;
  }
  return end(config_failed(fmt::format("the configuration lost {} option{} that the kunitconfig asks for: {}",
                                       names.size(), names.size() == 1 ? "" : "s", shorten(join(names, ", "), 300)),
                           std::move(problems)));
}

bool TreeRun::build() {
  return phase("build", [&](std::string& note) {
    const auto step = kbuild_.build(build_time_left(), options_.stop_fd, build_watch());
    if (!step) return end(step.error());
    note = fmt::format("{} object{}{}", step->steps, step->steps == 1 ? "" : "s",
                       step->replayed && step->steps > 0 ? ", by the saved commands" : "");
    kernel_ = step->kernel;
    return went_well(*step, "build", /*is_configuration=*/false);
  });
}

BootKernel TreeRun::boot_of(const fs::path& kernel, std::vector<std::string> arguments) const {
  return [this, kernel, arguments = std::move(arguments)](const BootRequest& request,
                                                          const std::function<void(std::string_view)>& on_console) {
    auto words = arguments;
    words.insert(words.end(), request.arguments.begin(), request.arguments.end());
    return kernel::boot_kernel(options_.variant,
                               {.kernel = kernel,
                                .console = request.console,
                                .memory_folder = memory_.path,
                                .arguments = std::move(words),
                                .limit = request.limit,
                                .stop_fd = options_.stop_fd,
                                .give_up = request.give_up},
                               on_console);
  };
}

/// Boots the built kernel until all of its tests have run.
bool TreeRun::run_all(BootKernel first_boot) {
  auto run = run_tests({.boot = boot_of(kernel_, boot_arguments_),
                        .first_boot = std::move(first_boot),
                        .console = artifact("kunit.log"),
                        .limit = options_.boot_limit,
                        .suite_limit = options_.suite_limit,
                        .jobs = options_.jobs},
                       [this](const std::string& path, const ktap::TestNode& test) {
                         timeline_.test(path, ktap::to_string(test.status), std::chrono::steady_clock::now());
                         watch_.on_test(path, test);
                       });
  if (!run) return end(run.error());
  tests_ = *std::move(run);
  return true;
}

bool TreeRun::boot() {
  return phase("boot", [&](std::string& note) {
    find_boot_arguments(options_.build);
    const bool good = run_all();
    if (tests_.boots.size() > 1) note = fmt::format("{} kernels", tests_.boots.size());
    return good;
  });
}

bool TreeRun::run_kunit_py() {
  const KunitPy kunit_py{options_.tree, options_.build / "kunit.py", wanted_.files, memory_.path, options_.jobs};
  for (const auto* name : {"configure", "build"}) {
    const bool is_configuration = std::string_view(name) == "configure";
    const bool good = phase(name, [&](std::string&) {
      const auto step =
          kunit_py.prepare(is_configuration ? "config" : "build", build_time_left(), options_.stop_fd, build_watch());
      if (!step) return end(step.error());
      return went_well(*step, is_configuration ? "configuration" : "build", is_configuration);
    });
    std::error_code ignored;
    fs::copy_file(kunit_py.build / ".config", artifact(".config"), fs::copy_options::overwrite_existing, ignored);
    if (!good) return false;
  }
  kernel_ = kunit_py.build / "linux";
  return phase("boot", [&](std::string&) {
    find_boot_arguments(kunit_py.build);
    return run_all([&](const BootRequest& request, const std::function<void(std::string_view)>& on_console) {
      return kunit_py.execute(request.console, boot_arguments_, request.limit, options_.stop_fd, on_console);
    });
  });
}

void TreeRun::judge_console() {
  const auto flooded = std::ranges::find(tests_.boots, kernel::BootEnd::flooded,
                                         [](const BootRecord& boot) { return boot.outcome.end; });
  const auto flood_bytes = flooded == tests_.boots.end() ? 0 : flooded->outcome.console_bytes;
  failed_in_ = boots_that_failed(tests_);
  auto input = judge_input(std::move(tests_));
  auto result = judge(std::move(input));
  if (flood_bytes > 0)
    result.summary = fmt::format("ended after {} MB of console output: {}", flood_bytes >> 20U, result.summary);
  // The kernel's own word for a full tmpfs; it died of the machine and not of the change.
  if (exit_code(result.verdict) != 0 &&
      tail_of(artifact("kunit.log"), 65536).find("mount likely just ran out of space") != std::string::npos)
    result = infra_failed(
        fmt::format("the kernel's memory file did not fit into {}; give it more room", memory_.path.string()));
  end(std::move(result));
}

}  // namespace

RunResult judge_tree(const JudgeTreeOptions& options, JudgeTreeWatch& watch) {
  TreeRun run(options, watch);
  RunResult result = run.run();
  const bool tests_ran = !result.suites.empty() && result.verdict != Verdict::aborted;
  if (tests_ran && options.commit.empty()) {
    add_origins(result, options, run.judged_kernel(), watch);
    kernel::end_orphans();
  } else if (tests_ran && options.runner == Runner::bowsprit) {
    auto judged = run.judged_kernel();
    judged.from.commit = options.commit;
    if (auto kept = keep_base(options.build, judged.from,
                              {.result = result, .kernel = judged.kernel, .boot_arguments = judged.boot_arguments});
        !kept)
      watch.on_note(kept.error().text());
  }
  add_source_lines(result, options.tree);
  write_result_files(options.artifacts, result);
  put(options.artifacts / "kcidb.json",
      artifact::kcidb_json(result, {.architecture = std::string(options.variant.architecture->name)}));
  return result;
}

Result<> prepare_artifacts(const fs::path& folder) {
  for (const char* name : kArtifactNames) {
    std::error_code ignored;
    fs::remove(folder / name, ignored);
  }
  return make_dirs(folder);
}

void write_result_files(const fs::path& folder, const RunResult& result) {
  put(folder / "result.json", artifact::result_json(result));
  put(folder / "junit_kunit.xml", artifact::junit_xml(result));
}

}  // namespace bowsprit::app
