// SPDX-License-Identifier: Apache-2.0
#include "app/kunit_py.h"

#include "base/strings.h"

namespace bowsprit::app {
namespace {

/// kunit.py's own limit is no bound (it asks the kernel once and then waits for ever); ours is, so ours comes first.
constexpr std::chrono::seconds kLater{60};

kernel::BootEnd boot_end(kernel::CommandEnd end) {
  switch (end) {
    case kernel::CommandEnd::exited: return kernel::BootEnd::exited;
    case kernel::CommandEnd::timed_out: return kernel::BootEnd::timed_out;
    case kernel::CommandEnd::stopped: return kernel::BootEnd::stopped;
  }
  return kernel::BootEnd::exited;
}

}  // namespace

SpawnOptions KunitPy::command(std::string_view name, std::vector<std::string> more) const {
  SpawnOptions options{.argv = {"python3", (tree / "tools/testing/kunit/kunit.py").string(), std::string(name),
                                "--arch=um", "--build_dir=" + build.string()},
                       .env = kernel::build_environment(),
                       .cwd = tree.string()};
  for (const auto& file : kunitconfigs) options.argv.push_back("--kunitconfig=" + file.string());
  options.argv.insert(options.argv.end(), more.begin(), more.end());
  (*options.env)["PYTHONDONTWRITEBYTECODE"] = "1";  // the tree stays as it is
  (*options.env)["PYTHONUNBUFFERED"] = "1";
  (*options.env)["TMPDIR"] = memory_folder.string();
  return options;
}

Result<kernel::BuildStep> KunitPy::prepare(std::string_view name, milliseconds limit, int stop_fd,
                                           const kernel::BuildWatch& watch) const {
  TRY(make_dirs(build));
  kernel::BuildLog log(tree, build);
  std::vector<std::string> more;
  if (name == "build") more.push_back(fmt::format("--jobs={}", jobs));
  const auto output = [&](std::string_view bytes) {
    // Python's logging puts its name in front of the compiler's first line.
    log.feed(replace_all(std::string(bytes), "ERROR:root:", ""));
    if (watch.output) watch.output(bytes);
  };
  TRY_ASSIGN(const auto outcome, kernel::run_streaming(command(name, std::move(more)), limit, stop_fd, output));
  return kernel::finished_step<kernel::BuildStep>(outcome, log);
}

Result<kernel::BootOutcome> KunitPy::execute(const fs::path& console, const std::vector<std::string>& kernel_arguments,
                                             milliseconds limit, int stop_fd,
                                             const std::function<void(std::string_view)>& on_console) const {
  TRY_ASSIGN(const Fd file, Fd::open(console.string(), O_WRONLY | O_CREAT | O_TRUNC));
  const auto own_limit = std::chrono::ceil<std::chrono::seconds>(limit) + kLater;
  std::vector<std::string> more{"--raw_output=all", fmt::format("--timeout={}", own_limit.count())};
  for (const auto& argument : kernel_arguments) more.push_back("--kernel_args=" + argument);
  Result<> written;
  kernel::BootOutcome boot;
  const auto output = [&](std::string_view bytes) {
    boot.console_bytes += bytes.size();
    if (written) written = file.write_all(bytes);
    on_console(bytes);
  };
  TRY_ASSIGN(const auto outcome, kernel::run_streaming(command("exec", std::move(more)), limit, stop_fd, output));
  TRY(written);
  boot.end = boot_end(outcome.end);
  boot.status = outcome.status;
  boot.seconds = outcome.seconds;
  return boot;
}

}  // namespace bowsprit::app
