// SPDX-License-Identifier: Apache-2.0
#include "podutils/git_run.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strings.h"

namespace bowsprit::podutils {
namespace {

constexpr milliseconds kLimit{4 * 60 * 60 * 1000};  // a pod has its own limit; this one only ends a hung server's
constexpr int kCredentialFd = 9;
constexpr std::size_t kOutputLimit = 16U << 20U;

std::string shown(const Environment& env) {
  std::vector<std::string> words;
  for (const auto& [name, value] : env) words.push_back(name + "=" + value);
  return join(words, " ");
}

Result<Fd> memory_file(const char* name) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd) return fail_errno("create a memory file");
  return fd;
}

std::string whole_text(const Fd& fd) {
  const auto size = static_cast<std::size_t>(std::max<off_t>(::lseek(fd.get(), 0, SEEK_END), 0));
  std::string text(std::min(size, kOutputLimit), '\0');
  const auto count = ::pread(fd.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

}  // namespace

void GitRun::use_token_for(const std::string& url) {
  const auto scheme = url.find("://");
  const bool web = url.starts_with("https://") || url.starts_with("http://");
  origin_ = web && !token_.password.empty() ? url.substr(0, url.find('/', scheme + 3)) : std::string();
}

std::string GitRun::censored(std::string text) const {
  if (!token_.secret_text.empty()) text = replace_all(std::move(text), token_.secret_text, "CENSORED");
  return text;
}

void GitRun::note(CloneCommand command, bool failed) {
  if (failed) record_.failed = true;
  record_.commands.push_back(std::move(command));
}

bool GitRun::command(std::vector<std::string> argv, const Environment& only_here) {
  CloneCommand done;
  const bool ok = attempt(std::move(argv), done, only_here);
  note(std::move(done), !ok);
  return ok;
}

bool GitRun::attempt(std::vector<std::string> argv, CloneCommand& out, const Environment& only_here) const {
  const bool in_folder = argv[0] == "git";
  Environment visible = extra_;
  visible.insert(only_here.begin(), only_here.end());
  out.command = censored(fmt::format("PWD={} {} {}", in_folder ? folder_ : "/", shown(visible), join(argv, " ")));
  Environment env = current_environment();
  for (const Environment* more : {&hidden_, &std::as_const(visible)})
    for (const auto& [name, value] : *more) env[name] = value;
  env["GIT_TERMINAL_PROMPT"] = "0";
  env["LC_ALL"] = "C";  // its messages tell permanent errors from passing ones
  SpawnOptions options{.argv = std::move(argv), .cwd = in_folder ? folder_ : "/"};
  const auto started = std::chrono::steady_clock::now();
  const auto run = [&]() -> Result<ExitStatus> {
    TRY_ASSIGN(const Fd output, memory_file("git-output"));
    options.stdout_fd = options.stderr_fd = output.get();
    Fd secret;
    if (!origin_.empty()) {
      TRY_ASSIGN(secret, memory_file("git-credential"));
      TRY(secret.write_all(fmt::format("username={}\npassword={}\n", token_.user, token_.password.reveal())));
      options.pass_fds.emplace_back(secret.get(), kCredentialFd);
      env["GIT_CONFIG_COUNT"] = "1";
      env["GIT_CONFIG_KEY_0"] = fmt::format("credential.{}.helper", origin_);
      env["GIT_CONFIG_VALUE_0"] =
          fmt::format("!f() {{ test \"$1\" != get || cat /proc/self/fd/{}; }}; f", kCredentialFd);
    }
    options.env = env;
    TRY_ASSIGN(auto child, ChildProcess::spawn(options));
    TRY_ASSIGN(const auto status, child.wait_for(kLimit));
    out.output = censored(whole_text(output));
    if (!status) return fail(ErrorKind::timeout, "it did not end within {}", format_duration(kLimit));
    return *status;
  };
  const auto status = run();
  out.duration = std::chrono::steady_clock::now() - started;
  if (!status)
    out.error = censored(status.error().text());
  else if (!status->ok())
    out.error = status->signal != 0 ? status->text() : fmt::format("exit status {}", status->code);
  log_debug("clonerefs", "{}: {}", out.command, out.error.empty() ? "done" : out.error);
  return out.error.empty();
}

std::string GitRun::ask(std::vector<std::string> args) const {
  args.insert(args.begin(), "git");
  const auto output = run_command({.argv = std::move(args), .cwd = folder_}, kLimit);
  return output && output->status.ok() ? std::string(trim(output->out)) : std::string();
}

}  // namespace bowsprit::podutils
