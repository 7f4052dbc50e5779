// SPDX-License-Identifier: Apache-2.0
#include "podutils/entrypoint.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/strings.h"
#include "os/files.h"
#include "os/process.h"
#include "podutils/markers.h"

namespace bowsprit::podutils {
namespace {

constexpr milliseconds kDefaultTimeout{2 * 60 * 60 * 1000};
constexpr milliseconds kDefaultGrace{15'000};
/// After the program's own end its helpers (`tee` of a redirection) may still write their last lines.
constexpr milliseconds kLastLines{2000};

SteadyTime now() { return std::chrono::steady_clock::now(); }

/// stdout and the process log together.
class Output {
 public:
  explicit Output(Fd file) : file_(std::move(file)) {}

  void write(std::string_view bytes) {
    // A reader of stdout that went away must not end the job; the log is what counts.
    if (!stdout_gone_ && !write_all(STDOUT_FILENO, bytes)) stdout_gone_ = true;
    if (file_ && !write_all(file_.get(), bytes)) file_.reset();
  }

  /// A line of our own as Prow's components write theirs, which its viewers know how to show.
  void say(std::string_view level, std::string_view message) {
    const Json line{{"component", "entrypoint"},
                    {"level", level},
                    {"msg", message},
                    {"severity", level},
                    {"time", rfc3339(SystemClock::now())}};
    write(dump_json(line) + "\n");
  }

 private:
  static bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::write(fd, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  Fd file_;
  bool stdout_gone_ = false;
};

/// SIGINT and SIGTERM as something to poll.
class Signals {
 public:
  Signals() {
    sigset_t mask;
    ::sigemptyset(&mask);
    ::sigaddset(&mask, SIGINT);
    ::sigaddset(&mask, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &mask, nullptr);
    fd_ = Fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The next signal; 0: none.
  [[nodiscard]] int take() const {
    signalfd_siginfo info{};
    return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
  }

 private:
  Fd fd_;
};

struct Outcome {
  int code = kInternalErrorCode;
  End end = End::internal_error;
  int signal = 0;       ///< that ended the program
  std::string message;  ///< why, where the code alone does not say
};

/// Ends every process that the job left: those whose parents ended became children of ours (a subreaper). The end of one
/// makes its own children ours, so until there are none.
void end_orphans() {
  const std::string list = fmt::format("/proc/self/task/{}/children", ::getpid());
  while (true) {
    std::vector<pid_t> children;
    const auto text = read_file(list);
    if (text)
      for (const std::string& word : split(*text, ' '))
        if (const auto pid = parse_int(trim(word)); pid && *pid > 1) children.push_back(static_cast<pid_t>(*pid));
    if (children.empty()) return;
    for (const pid_t child : children) ::kill(child, SIGKILL);
    for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  }
}

class Job {
 public:
  Job(const EntrypointOptions& options, Output& output, const Signals& signals)
      : options_(options), output_(output), signals_(signals) {
    timeout_ = options.timeout.count() == 0 ? kDefaultTimeout : options.timeout;
    grace_ = options.grace_period.count() == 0 ? kDefaultGrace : options.grace_period;
  }

  Outcome run() {
    auto pipe = Pipe::create();
    if (!pipe) return {.message = pipe.error().text()};
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    auto child = ChildProcess::spawn(
        {.argv = options_.wrapper.args, .stdout_fd = pipe->writer.get(), .stderr_fd = pipe->writer.get()});
    if (!child) {
      const std::string why = fmt::format("could not start the process: {}", child.error().text());
      output_.write(why + "\n");
      return {.end = End::not_started, .message = why};
    }
    pipe->writer.reset();
    output_end_ = std::move(pipe->reader);
    const Outcome outcome = supervise(*child);
    child->stop(milliseconds(0));  // the group of the program, also what outlived it
    end_orphans();
    drain(now() + kLastLines);
    return outcome;
  }

 private:
  Outcome supervise(ChildProcess& child) {
    const SteadyTime limit = now() + timeout_;
    switch (wait(child, limit)) {
      case Woken::ended: return normal_end(*child.status());
      case Woken::signal: return cancel(child, End::aborted);
      case Woken::time: return cancel(child, End::timed_out);
    }
    return {};
  }

  enum class Woken { ended, signal, time };

  /// Copies output until the program and all writers of its output ended, a signal came, or the time is up.
  Woken wait(ChildProcess& child, SteadyTime limit) {
    std::optional<SteadyTime> last_lines;
    if (child.status()) last_lines = now() + kLastLines;
    while (true) {
      if (child.status() && (!output_end_ || (last_lines && now() >= *last_lines))) return Woken::ended;
      const SteadyTime until = last_lines ? std::min(*last_lines, limit) : limit;
      if (!last_lines && now() >= limit) return Woken::time;
      pollfd entries[3]{
          {signals_.fd(), POLLIN, 0}, {output_end_.get(), POLLIN, 0}, {child.status() ? -1 : child.pidfd(), POLLIN, 0}};
      if (::poll(entries, 3, left(until)) < 0) continue;  // EINTR
      if (entries[1].revents != 0) copy();
      if (entries[2].revents != 0) {
        [[maybe_unused]] const auto reaped = child.wait_for(milliseconds(0));
        last_lines = now() + kLastLines;
      }
      if (entries[0].revents != 0)
        if (const int signal = signals_.take(); signal != 0) {
          signal_ = signal;
          return Woken::signal;
        }
    }
  }

  Outcome cancel(ChildProcess& child, End end) {
    output_.say("error", end == End::aborted
                             ? fmt::format("Entrypoint received interrupt: {}", ::strsignal(signal_))
                             : fmt::format("Process did not finish before {} timeout", format_duration(timeout_)));
    child.signal_group(SIGINT);
    if (signal_ != 0 && signal_ != SIGINT) child.signal_group(signal_);
    const SteadyTime limit = now() + grace_;
    Woken woken = Woken::signal;
    while (woken == Woken::signal) woken = wait(child, limit);  // one more signal changes nothing
    const bool graceful = woken == Woken::ended;
    output_.say("error", fmt::format("Process {} before {} grace period",
                                     graceful ? "gracefully exited" : "did not exit", format_duration(grace_)));
    Outcome out{.code = end == End::aborted ? kAbortedCode : kInternalErrorCode, .end = end};
    const ExitStatus status = child.stop(milliseconds(0));
    out.signal = status.signal;
    if (options_.propagate_error_code) out.code = status.signal != 0 ? -1 : status.code;
    out.message = end == End::aborted ? fmt::format("aborted by {}", ::strsignal(signal_))
                                      : fmt::format("timed out after {}", format_duration(timeout_));
    if (!graceful) out.message += fmt::format(", and killed since it did not exit within {}", format_duration(grace_));
    return out;
  }

  static Outcome normal_end(const ExitStatus& status) {
    if (status.signal == 0) return {.code = status.code, .end = End::exited};
    return {.code = -1, .end = End::signalled, .signal = status.signal, .message = status.text()};
  }

  static int left(SteadyTime until) {
    const auto rest = std::chrono::ceil<milliseconds>(until - now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(rest, 0, 3'600'000));
  }

  void copy() {
    std::array<char, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read(2) fills it
    const auto count = output_end_.read(buffer.data(), buffer.size());
    if (!count || *count == 0)
      output_end_.reset();
    else
      output_.write({buffer.data(), *count});
  }

  void drain(SteadyTime until) {
    while (output_end_ && now() < until) {
      pollfd entry{output_end_.get(), POLLIN, 0};
      if (::poll(&entry, 1, left(until)) > 0) copy();
    }
  }

  const EntrypointOptions& options_;
  Output& output_;
  const Signals& signals_;
  milliseconds timeout_;
  milliseconds grace_;
  Fd output_end_;
  int signal_ = 0;
};

/// nullopt: go on.
std::optional<Outcome> after_previous(const EntrypointOptions& options, Output& output, const Signals& signals) {
  if (options.previous_marker.empty()) return std::nullopt;
  const auto stop = [&] {
    const int signal = signals.take();
    if (signal != 0) output.say("error", fmt::format("Received interrupt {}, cancelling...", ::strsignal(signal)));
    return signal != 0;
  };
  const auto waited = wait_for_markers({options.previous_marker}, signals.fd(), stop);
  if (!waited) return Outcome{.message = waited.error().text()};
  const auto found = waited->find(options.previous_marker);
  if (found == waited->end()) return Outcome{.message = "interrupted while it waited for the previous step"};
  if (!found->second) return Outcome{.message = found->second.error().text()};
  if (*found->second == 0) return std::nullopt;
  output.say("info", fmt::format("Skipping as previous step exited {}", *found->second));
  return Outcome{.code = kPreviousErrorCode, .end = End::skipped, .message = "the previous step failed"};
}

/// Adds how the job ended to what it says of itself, where the exit code alone does not tell.
Result<> note_end(const EntrypointOptions& options, const Outcome& outcome) {
  const std::string& path = options.wrapper.metadata_file;
  if (path.empty() || outcome.end == End::exited || outcome.end == End::skipped) return {};
  Json metadata = Json::object();
  if (const auto text = read_file(path, 4U << 20U)) {
    auto parsed = parse_json(*text);
    if (parsed && parsed->is_object())
      metadata = std::move(*parsed);
    else  // kept as an artifact: it is the job's fault, but also its evidence
      ::rename(path.c_str(), (path + ".invalid").c_str());
  }
  Json note{{"end", to_string(outcome.end)}, {"message", outcome.message}};
  if (outcome.signal != 0) note["signal"] = outcome.signal;
  metadata["entrypoint"] = std::move(note);
  return write_file_atomic(path, dump_json(metadata));
}

Outcome execute(const EntrypointOptions& options, const Signals& signals) {
  const auto internal = [](const Error& error) {
    fmt::print(stderr, "entrypoint: {}\n", error.text());
    return Outcome{.message = error.text()};
  };
  if (!options.artifact_dir.empty())
    if (const auto made = make_dirs(options.artifact_dir); !made) return internal(made.error());
  auto log = Fd::open(options.wrapper.process_log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
  if (!log) return internal(log.error());
  Output output(std::move(*log));
  auto outcome = after_previous(options, output, signals);
  if (!outcome) outcome = Job(options, output, signals).run();
  if (outcome->end != End::exited && outcome->end != End::skipped)
    output.say("error", fmt::format("Error executing test process: {}", outcome->message));
  if (const auto noted = note_end(options, *outcome); !noted) output.say("warning", noted.error().text());
  return *outcome;
}

}  // namespace

std::string_view to_string(End end) {
  switch (end) {
    case End::exited: return "exited";
    case End::signalled: return "signalled";
    case End::timed_out: return "timed_out";
    case End::aborted: return "aborted";
    case End::not_started: return "not_started";
    case End::skipped: return "skipped";
    case End::internal_error: return "internal_error";
  }
  return "?";
}

int run_entrypoint(const EntrypointOptions& options) {
  const Signals signals;
  const Outcome outcome = execute(options, signals);
  if (const auto marked = write_marker(options.wrapper.marker_file, outcome.code); !marked) {
    fmt::print(stderr, "entrypoint: {}\n", marked.error().text());
    return kInternalErrorCode;
  }
  return options.always_zero ? 0 : outcome.code;
}

Result<> place_entrypoint(const std::string& destination) {
  std::error_code code;
  const fs::path self = fs::read_symlink("/proc/self/exe", code);
  if (code) return fail(ErrorKind::os, "find this program: {}", code.message());
  fs::path source = self.parent_path() / "entrypoint";
  if (!fs::is_regular_file(fs::symlink_status(source, code))) source = self;
  TRY(make_dirs(fs::path(destination).parent_path()));
  const std::string temp = fmt::format("{}.part{}", destination, ::getpid());
  fs::copy_file(source, temp, fs::copy_options::overwrite_existing, code);
  if (code) return fail(ErrorKind::os, "copy '{}' to '{}': {}", source.string(), temp, code.message());
  if (::chmod(temp.c_str(), 0755) != 0 || ::rename(temp.c_str(), destination.c_str()) != 0)
    return fail_errno(fmt::format("place '{}'", destination));
  return {};
}

}  // namespace bowsprit::podutils
