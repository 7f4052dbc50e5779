// SPDX-License-Identifier: Apache-2.0
/// `bowsprit run [TREE]`: judges a kernel tree here. Also the job image's program.
#include <sched.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "app/base_run.h"
#include "app/judge_tree.h"
#include "app/kept_base.h"
#include "app/variants.h"
#include "artifact/result_json.h"
#include "base/strings.h"
#include "cli/commands.h"
#include "cli/run_view.h"
#include "kernel/command.h"

namespace bowsprit::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

int usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

/// The kept folder of this tree and these kunitconfigs, in the user's cache: the second run builds only what changed.
Result<fs::path> default_build_folder(const fs::path& tree, const std::vector<std::string>& kunitconfigs) {
  fs::path cache = environment("XDG_CACHE_HOME");
  if (cache.empty() && !environment("HOME").empty()) cache = fs::path(environment("HOME")) / ".cache";
  if (!cache.is_absolute())
    return fail(ErrorKind::usage,
                "no folder to build in: neither --build-dir, BOWSPRIT_BUILD_DIR, XDG_CACHE_HOME nor HOME is set");
  const auto key = sha256_hex(tree.string() + "\n" + join(kunitconfigs, "\n"));
  return cache / "bowsprit" / "build" / fmt::format("{}-{}", tree.filename().string(), key.substr(0, 12));
}

Result<fs::path> find_tree(const Arguments& arguments) {
  std::error_code code;
  const fs::path given = arguments.positionals.empty() ? fs::path(".") : fs::path(arguments.positionals[0]);
  const fs::path tree = fs::canonical(given, code);
  if (code) return fail(ErrorKind::usage, "tree '{}': {}", given.string(), code.message());
  for (const char* name : {"Makefile", "Kconfig", "arch/um/Makefile"})
    if (!fs::exists(tree / name, code))
      return fail(ErrorKind::usage, "'{}' is not a Linux kernel tree: it has no {}", tree.string(), name);
  return tree;
}

/// Those of --variant; empty: one kernel, by --arch and --preset.
Result<std::vector<kernel::Variant>> read_variants(const Arguments& arguments) {
  std::vector<kernel::Variant> variants;
  for (const auto& name : arguments.all("variant")) {
    TRY_ASSIGN(auto variant, kernel::parse_variant(name));
    const bool twice =
        std::ranges::any_of(variants, [&](const kernel::Variant& other) { return other.name() == variant.name(); });
    if (twice) return fail(ErrorKind::usage, "--variant {}: given twice", variant.name());
    variants.push_back(std::move(variant));
  }
  if (!variants.empty() && (arguments.has("arch") || arguments.has("preset")))
    return fail(ErrorKind::usage,
                "--variant names architecture and presets, so neither --arch nor --preset goes with it");
  return variants;
}

Result<app::JudgeTreeOptions> read_options(const Arguments& arguments) {
  app::JudgeTreeOptions options;
  TRY_ASSIGN(options.tree, find_tree(arguments));
  const auto kunitconfigs = arguments.all("kunitconfig");
  options.kunitconfig.assign(kunitconfigs.begin(), kunitconfigs.end());
  options.default_kunitconfig = arguments.get("default-kunitconfig", environment("BOWSPRIT_DEFAULT_KUNITCONFIG"));
  options.build = arguments.get("build-dir", environment("BOWSPRIT_BUILD_DIR"));
  if (options.build.empty()) {
    TRY_ASSIGN(options.build, default_build_folder(options.tree, kunitconfigs));
  }
  options.build = fs::absolute(options.build).lexically_normal();
  // Said here, since make itself says it late and, below a folder of the two, not at all.
  for (const auto& path : {options.tree, options.build})
    if (path.string().find_first_of(" :\t\n") != std::string::npos)
      return fail(ErrorKind::usage, "'{}': the kernel's make cannot work below a path with a space or a colon",
                  path.string());
  options.artifacts = arguments.get("artifacts", environment("ARTIFACTS"));
  if (options.artifacts.empty()) options.artifacts = options.build / "artifacts";
  options.artifacts = fs::absolute(options.artifacts).lexically_normal();
  TRY_ASSIGN(const auto limit, arguments.duration("timeout"));
  TRY_ASSIGN(const auto suite_limit, arguments.duration("suite-timeout"));
  TRY_ASSIGN(const auto build_limit, arguments.duration("build-timeout"));
  TRY_ASSIGN(const auto jobs, arguments.number("jobs"));
  if (limit) options.boot_limit = *limit;
  if (suite_limit) options.suite_limit = *suite_limit;
  if (build_limit) options.build_limit = *build_limit;
  if (jobs && (*jobs < 1 || *jobs > 1024)) return fail(ErrorKind::usage, "--jobs: expected 1 to 1024, got {}", *jobs);
  options.jobs = jobs ? static_cast<int>(*jobs) : usable_cpus();
  const auto runner = arguments.get("runner", "bowsprit");
  if (runner != "bowsprit" && runner != "kunit.py")
    return fail(ErrorKind::usage, "--runner: expected bowsprit or kunit.py, got '{}'", runner);
  options.runner = runner == "kunit.py" ? app::Runner::kunit_py : app::Runner::bowsprit;
  TRY_ASSIGN(options.variant, kernel::make_variant(arguments.get("arch", "um"), arguments.all("preset")));
  if (options.runner == app::Runner::kunit_py &&
      (arguments.has("arch") || arguments.has("preset") || arguments.has("variant")))
    return fail(ErrorKind::usage, "--runner kunit.py takes neither --arch, --preset nor --variant");
  options.build = app::build_folder_of(options.build, options.variant);
  options.shortcuts = !arguments.has("no-shortcuts");
  options.build_kept = environment("BOWSPRIT_BUILD_KEPT") != "no";
  options.job_spec = environment("JOB_SPEC");
  const auto policy = arguments.get("policy", environment("BOWSPRIT_POLICY"));
  if (!policy.empty() && policy != "fair" && policy != "strict")
    return fail(ErrorKind::usage, "--policy: expected fair or strict, got '{}'", policy);
  options.strict = policy == "strict";
  options.change_diff = environment("BOWSPRIT_CHANGE_DIFF");
  const auto source = app::source_of_job(options.job_spec);
  (source.is_base ? options.commit : options.kept_base) = source.base;
  if (const auto base = arguments.get("base")) {
    TRY_ASSIGN(options.base, app::resolve_revision(options.tree, *base));
  }
  return options;
}

/// SIGINT, SIGTERM and SIGHUP as a descriptor that becomes readable. They stay blocked here; children get the default
/// mask.
Result<Fd> signals_as_descriptor() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, signal);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return fail_errno("block signals");
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno("make a descriptor of signals");
  return fd;
}

int run(const Arguments& arguments) {
  const auto format = arguments.get("format", "text");
  auto options = read_options(arguments);
  if (options && format != "text" && format != "json")
    options = fail(ErrorKind::usage, "--format: expected text or json, got '{}'", format);
  if (!options) return report_error(options.error());
  const auto variants = read_variants(arguments);
  if (!variants) return report_error(variants.error());
  const auto signals = signals_as_descriptor();
  if (!signals) return report_error(signals.error());
  options->stop_fd = signals->get();
  if (const auto adopted = kernel::adopt_orphans(); !adopted) return report_error(adopted.error());
  const auto view = make_run_view();
  const RunResult result =
      variants->empty() ? app::judge_tree(*options, *view) : app::judge_variants(*options, *variants, *view);
  view->finish();
  if (format == "json") {
    fmt::print("{}", artifact::result_json(result));
  } else {
    fmt::print("{}", describe_result(result, options->artifacts, wants_colour(STDOUT_FILENO)));
  }
  std::fflush(stdout);
  return exit_code(result.verdict);
}

}  // namespace

Command run_command() {
  return {
      .name = "run",
      .operands = "[TREE]",
      .summary = "judge a kernel tree here: configure, build, boot, verdict",
      .details =
          R"(Configures and builds the kernel in TREE (default: the current folder) for User-Mode Linux, boots it, reads its
KUnit results and gives one verdict. The tree stays as it is; the build folder is kept, so the next run is fast.

--arch x86_64 or arm64 boots such a kernel in QEMU instead (by KVM where /dev/kvm can be used). --preset kasan, ubsan, lockdep
or kcsan builds it with that sanitizer. --variant ARCH[+PRESET...], several times, judges the tree as several kernels in one
run: the verdict is the worst, each has its own folder in the artifacts, and what User-Mode Linux can't have is left to a kernel
that QEMU boots.

A failing test is tried again, in kernels of its own: one that then passes is flaky. With --base, or as a job on a warm
tree whose base kernel is kept, it is also looked for on the base. Each failure's origin is told: new, on the base too, flaky.

Which tests run says the kunitconfig: --kunitconfig, else TREE/kunitconfig, else TREE/.kunitconfig, else the default.

  bowsprit run ~/src/linux --kunitconfig lib/kunit
  bowsprit run --kunitconfig fs/ext4 --timeout 2m --format json
  bowsprit run --base origin/master --policy strict
  bowsprit run --variant um --variant um+kasan --variant x86_64

Exit code: 0 passed, or nothing new failed, 1 the tree is at fault, 2 wrong usage, 3 no verdict was possible (machine, or stopped by a signal).
In the artifacts folder: result.json, kunit.log, build.log, junit_kunit.xml, kcidb.json, .config, timeline.json
(where the time went; ui.perfetto.dev opens it); retries.log and base.log where failing tests were tried again.)",
      .options = {{"kunitconfig", "PATH", "file, or folder with .kunitconfig; several are merged", true},
                  {"default-kunitconfig", "FILE", "where the tree has none [$BOWSPRIT_DEFAULT_KUNITCONFIG]"},
                  {"artifacts", "DIR", "where results go [$ARTIFACTS, else BUILD/artifacts]"},
                  {"build-dir", "DIR", "kept build folder [$BOWSPRIT_BUILD_DIR, else in the user's cache folder]"},
                  {"timeout", "TIME",
                   "limit of the first boot, again of all that follow a crash, and of all tries [5m]"},
                  {"suite-timeout", "TIME",
                   "limit of one suite; the suites behind it run in a kernel of their own [2m]"},
                  {"build-timeout", "TIME", "limit of configure and build [1h]"},
                  {"jobs", "N", "compilers at once [CPUs of this process]"},
                  {"runner", "NAME", "bowsprit, or kunit.py: the tree's own tool, judged by the same rules"},
                  {"arch", "ARCH", "um, x86_64 or arm64 [um]"},
                  {"preset", "NAME", "kasan, ubsan, lockdep or kcsan; several go together", true},
                  {"variant", "ARCH[+PRESET]", "one of several kernels to judge: um, um+kasan, x86_64", true},
                  {"base", "REV", "also judge this commit of TREE's git: which failures are new, which tests are gone"},
                  {"policy", "NAME",
                   "fair: failures that are on the base too, or flaky, do not count; strict: all count [fair; "
                   "$BOWSPRIT_POLICY]"},
                  {"no-shortcuts", "", "run make for every step, also those that are proven unneeded"},
                  {"format", "FORMAT", "text or json, on stdout"}},
      .max_operands = 1,
      .run = run};
}

}  // namespace bowsprit::cli
