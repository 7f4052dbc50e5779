// SPDX-License-Identifier: Apache-2.0
#include "kernel/kbuild.h"

#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "kernel/orphan_targets.h"
#include "kernel/replay.h"

namespace bowsprit::kernel {
namespace {

constexpr std::size_t kMaxConfig = 8U << 20U;
/// What bowsprit notes in a build folder about the last good configuration and the last full build.
constexpr std::string_view kNotes = ".bowsprit.json";
constexpr const char* kReplayNote = "replay";
constexpr const char* kReplayMakefile = ".bowsprit.replay.mk";
/// Reading the makefiles takes a second of an idle machine; far more means that something is wrong.
constexpr milliseconds kEnvironmentLimit{600'000};

Json read_notes(const fs::path& build) {
  if (const auto text = read_file(build / kNotes, 1U << 20U))
    if (auto notes = parse_json(*text); notes && notes->is_object()) return *notes;
  return Json::object();
}

void write_note(const fs::path& build, const std::string& key, Json value) {
  auto notes = read_notes(build);
  notes[key] = std::move(value);
  // A lost note costs time, never a verdict.
  [[maybe_unused]] const auto written = write_file_atomic(build / kNotes, dump_json(notes, 1));
}

/// Through PATH and not CC="ccache gcc": Kbuild compares command lines, so a warm build without ccache would make all
/// anew. Only where the user has a cache already: in a sandbox it would fill a home that is thrown away.
void add_ccache(Environment& env) {
  constexpr const char* kCcacheLinks = "/usr/lib/ccache";
  const fs::path home = env["HOME"];
  std::error_code ignored;
  const bool in_use =
      env.contains("CCACHE_DIR") ||
      (!home.empty() && (fs::exists(home / ".cache/ccache", ignored) || fs::exists(home / ".ccache", ignored)));
  if (in_use && fs::exists(fs::path(kCcacheLinks) / "gcc", ignored))
    env["PATH"] = fmt::format("{}:{}", kCcacheLinks, env["PATH"]);
}

/// Kconfig files of the last configuration, from Kbuild's own dependency file; empty where there is none.
std::vector<fs::path> kconfig_dependencies(const fs::path& tree, const fs::path& build) {
  std::vector<fs::path> files;
  const auto text = read_file(build / "include/config/auto.conf.cmd", kMaxConfig);
  if (!text) return files;
  // "deps_config := \", then one path a line up to an empty line.
  bool inside = false;
  for (const auto& line : split_lines(*text)) {
    auto word = trim(line);
    if (inside && word.empty()) break;
    if (word.ends_with("\\")) word = trim(word.substr(0, word.size() - 1));
    if (inside) files.push_back(fs::path(word).is_absolute() ? fs::path(word) : tree / word);
    inside = inside || word.starts_with("deps_config");
  }
  return files;
}

std::string config_hash(const fs::path& build) {
  const auto text = read_file(build / ".config", kMaxConfig);
  return text ? sha256_hex(*text) : "";
}

}  // namespace

Environment build_environment() {
  auto env = current_environment();
  for (const char* name : {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS", "MAKEFILES", "KBUILD_OUTPUT",
                           "KBUILD_EXTMOD", "O", "M", "ARCH", "KCONFIG_CONFIG", "KCONFIG_ALLCONFIG",
                           "KCONFIG_DEFCONFIG_LIST", "KBUILD_VERBOSE", "V", "LANGUAGE", "GCC_COLORS"})
    env.erase(name);
  env["LC_ALL"] = "C";
  env["LANG"] = "C";
  // Nothing of this machine, this user, this moment or this commit in the objects: what a warm tree has made stays
  // valid.
  env["KBUILD_BUILD_TIMESTAMP"] = "1970-01-01 00:00:00 UTC";
  env["KBUILD_BUILD_VERSION"] = "1";
  env["KBUILD_BUILD_USER"] = "bowsprit";
  env["KBUILD_BUILD_HOST"] = "bowsprit";
  env["LOCALVERSION"] = "";
  return env;
}

std::vector<std::string> Kbuild::make_command(const std::vector<std::string>& targets, int jobs) const {
  const auto& architecture = *options_.architecture;
  std::vector<std::string> argv{"make", "-C", options_.tree.string(), fmt::format("ARCH={}", architecture.name),
                                "O=" + options_.build.string()};
  if (const auto prefix = architecture.cross_compile(); !prefix.empty())
    argv.push_back(fmt::format("CROSS_COMPILE={}", prefix));
  argv.insert(argv.end(), {"--no-print-directory", fmt::format("-j{}", jobs)});
  argv.insert(argv.end(), targets.begin(), targets.end());
  return argv;
}

bool Kbuild::is_configured(const std::string& wanted) const {
  const auto notes = read_notes(options_.build);
  if (json_string(notes, "wanted") != sha256_hex(wanted) || json_string(notes, "config") != config_hash(options_.build))
    return false;
  std::error_code code;
  const auto made = fs::last_write_time(options_.build / "include/config/auto.conf", code);
  if (code) return false;
  const auto config = fs::last_write_time(options_.build / ".config", code);
  if (code || config > made) return false;
  const auto files = kconfig_dependencies(options_.tree, options_.build);
  return !files.empty() && std::ranges::all_of(files, [&](const fs::path& file) {
    std::error_code missing;
    const auto written = fs::last_write_time(file, missing);
    return !missing && written <= made;
  });
}

Result<ConfigureStep> Kbuild::configure(const KunitConfig& wanted, milliseconds limit, int stop_fd,
                                        const BuildWatch& watch) {
  const auto& build = options_.build;
  // Below what was asked for: the options that kunit.py adds to every build, and no commit id in the version.
  std::vector<ConfigOption> base{{"CONFIG_LOCALVERSION_AUTO", "n", {}}};
  const auto& architecture = *options_.architecture;
  TRY_ASSIGN(const auto fixed, parse_config(architecture.options, fmt::format("ARCH={}", architecture.name)));
  base = override_options(std::move(base), fixed);
  const std::string option_file(architecture.option_file);
  if (const auto text = read_file(options_.tree / option_file, kMaxConfig); text && !option_file.empty()) {
    TRY_ASSIGN(const auto options, parse_config(*text, option_file));
    base = override_options(std::move(base), options);
  }
  const auto text = config_text(override_options(std::move(base), wanted.options));
  TRY(write_file(build / ".kunitconfig", wanted.text()));
  ConfigureStep step;
  configuration_stayed_ = options_.shortcuts && is_configured(text);
  if (configuration_stayed_) {
    step.skipped = true;
    step.ok = true;
  } else {
    std::error_code none_before;
    const auto before = config_hash(build);
    const auto time_before = fs::last_write_time(build / ".config", none_before);
    TRY(write_file(build / ".config", text));
    BuildLog log(options_.tree, build);
    TRY_ASSIGN(const auto outcome,
               run_streaming({.argv = make_command({"olddefconfig"}, 1), .env = build_environment(), .cwd = build},
                             limit, stop_fd, [&](std::string_view bytes) {
                               log.feed(bytes);
                               if (watch.output) watch.output(bytes);
                             }));
    step = finished_step<ConfigureStep>(outcome, log);
    if (!step.ok) return step;
    const auto after = config_hash(build);
    std::error_code ignored;
    // The same result keeps its age, else make would bring its own copies of it up to date: two seconds for nothing.
    if (!none_before && after == before) fs::last_write_time(build / ".config", time_before, ignored);
    write_note(build, "wanted", sha256_hex(text));
    write_note(build, "config", after);
  }
  TRY_ASSIGN(const auto resulting, read_file(build / ".config", kMaxConfig));
  TRY_ASSIGN(step.resulting, parse_config(resulting, ".config"));
  step.lost = lost_options(wanted.options, step.resulting);
  return step;
}

/// Builds by the saved commands; nullopt where that can't be proven to be the same as make, or fails.
Result<std::optional<KernelBuild>> Kbuild::replay(milliseconds limit, int stop_fd, const BuildWatch& watch, Json note,
                                                  std::string& reason) const {
  const auto& build = options_.build;
  auto plan = plan_replay(options_.tree, build, note, build_environment());
  reason = plan.reason;
  if (!plan.reason.empty()) return std::nullopt;
  KernelBuild result;
  result.ok = true;
  result.replayed = true;
  result.kernel = build / "linux";
  if (!plan.objects.empty()) {
    TRY(write_file(build / kReplayMakefile, plan.makefile));
    BuildLog log(options_.tree, build);
    BuildProgress progress{.known = static_cast<int>(plan.objects.size())};
    log.on_object = [&](const std::string& object) {
      if (++progress.done > progress.known) progress.known = 0;
      progress.object = object;
      if (watch.progress) watch.progress(progress);
    };
    std::string output;  // kept back, since after a failure make says it all again
    TRY_ASSIGN(const auto outcome,
               run_streaming({.argv = {"make", "-rR", "--no-print-directory", fmt::format("-j{}", options_.jobs), "-f",
                                       kReplayMakefile, "all"},
                              .env = std::move(plan.env),
                              .cwd = build},
                             limit, stop_fd, [&](std::string_view bytes) {
                               log.feed(bytes);
                               output += bytes;
                             }));
    result = finished_step<KernelBuild>(outcome, log);
    result.replayed = true;
    result.kernel = build / "linux";
    if (result.end == CommandEnd::exited && !result.ok) {
      reason = "a command failed";
      return std::nullopt;
    }
    if (watch.output) watch.output(output);
    result.steps = progress.done;
  }
  renew_replay_note(note, build);
  if (result.ok) write_note(build, kReplayNote, std::move(note));
  return result;
}

/// After a build by make: what a later one needs to know. A failure costs time later, never a verdict.
void Kbuild::note_for_replay(int stop_fd) const {
  // The environment that make gives to commands, printed by a rule of our own. Make's warnings go elsewhere.
  auto argv = make_command({"bowsprit-environment"}, 1);
  argv.emplace_back("--eval=bowsprit-environment:;@env -0");
  argv.insert(argv.begin(), {"sh", "-c", "exec \"$@\" 2>/dev/null", "sh"});
  std::string output;
  const auto asked = run_streaming({.argv = std::move(argv), .env = build_environment(), .cwd = options_.build},
                                   kEnvironmentLimit, stop_fd, [&](std::string_view bytes) { output += bytes; });
  if (!asked || asked->end != CommandEnd::exited || !asked->status.ok()) return;
  auto note = replay_note(options_.tree, options_.build, parse_environment(output), build_environment());
  if (!note.is_null()) write_note(options_.build, kReplayNote, std::move(note));
}

Result<KernelBuild> Kbuild::build(milliseconds limit, int stop_fd, const BuildWatch& watch) const {
  const auto& build = options_.build;
  const auto begin = std::chrono::steady_clock::now();
  std::error_code ignored;
  const bool cold = !fs::exists(build / "vmlinux", ignored);
  // Taken away while anything is made here: it is of a folder in which all is up to date.
  const Json note = json_get(read_notes(build), kReplayNote);
  if (!note.is_null()) write_note(build, kReplayNote, nullptr);
  std::string why_by_make;
  if (options_.shortcuts && !cold) {
    why_by_make = "the configuration was made anew";
    if (configuration_stayed_) {
      TRY_ASSIGN(auto replayed, replay(limit, stop_fd, watch, note, why_by_make));
      if (replayed) return *std::move(replayed);
    }
    log_debug("kernel", "built by make: {}", why_by_make);
    limit -= std::chrono::ceil<milliseconds>(std::chrono::steady_clock::now() - begin);
    limit = std::max(limit, milliseconds(0));
  }
  if (!cold) {
    TRY_ASSIGN(const auto orphans, remove_orphan_targets(options_.tree, build));
    if (!orphans.empty()) log_debug("kernel", "their sources are gone: {}", join(orphans, ", "));
  }
  auto env = build_environment();
  if (cold) add_ccache(env);
  TRY_ASSIGN(const auto config, read_file(build / ".config", kMaxConfig));
  // A module cannot run here, but it has to build where somebody asked for it.
  const bool modules = config.find("=m\n") != std::string::npos;
  BuildLog log(options_.tree, build);
  BuildProgress progress;
  // A first build makes everything and a later one a few objects: each is foretold by the last of its kind.
  const std::string objects = cold ? "objects" : "objects_warm";
  progress.known = static_cast<int>(std::clamp<std::int64_t>(json_int(read_notes(build), objects), 0, 1'000'000));
  log.on_object = [&](const std::string& object) {
    if (++progress.done > progress.known) progress.known = 0;
    progress.object = object;
    if (watch.progress) watch.progress(progress);
  };
  std::vector<std::string> targets{std::string(options_.architecture->target)};
  if (modules) targets.emplace_back("modules");
  TRY_ASSIGN(const auto outcome,
             run_streaming({.argv = make_command(targets, options_.jobs), .env = std::move(env), .cwd = build}, limit,
                           stop_fd, [&](std::string_view bytes) {
                             log.feed(bytes);
                             if (watch.output) watch.output(bytes);
                           }));
  auto result = finished_step<KernelBuild>(outcome, log);
  result.cold = cold;
  result.steps = progress.done;
  result.kernel = build / options_.architecture->image;
  result.why_by_make = std::move(why_by_make);
  if (result.ok) write_note(build, objects, progress.done);
  if (result.ok && options_.shortcuts && options_.kept && !modules && options_.architecture->qemu.empty())
    note_for_replay(stop_fd);
  return result;
}

Result<BuildFolderLock> take_build_folder(const fs::path& build, int stop_fd, const std::function<void()>& on_wait) {
  TRY(make_dirs(build));
  TRY_ASSIGN(Fd fd, Fd::open(build / ".bowsprit.lock", O_RDWR | O_CREAT));
  for (bool first = true; ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0; first = false) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return fail_errno(fmt::format("lock build folder '{}'", build.string()));
    if (first && on_wait) on_wait();
    pollfd entry{stop_fd, POLLIN, 0};
    if (::poll(&entry, 1, 200) > 0)
      return fail(ErrorKind::cancelled, "wait for build folder '{}': stopped", build.string());
  }
  return BuildFolderLock(std::move(fd));
}

}  // namespace bowsprit::kernel
