// SPDX-License-Identifier: Apache-2.0
#include "podutils/sidecar.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strings.h"
#include "os/fd.h"
#include "podutils/entrypoint.h"
#include "podutils/markers.h"
#include "podutils/staging.h"
#include "podutils/upload.h"

namespace bowsprit::podutils {
namespace {

/// What sidecar says, on stderr and for sidecar-logs.json.
class Diary {
 public:
  void say(LogLevel level, const std::string& message) {
    write_log(level, "sidecar", message);
    const std::string_view name = level == LogLevel::error ? "error" : level == LogLevel::warn ? "warning" : "info";
    text_ += dump_json(Json{{"component", "sidecar"},
                            {"level", name},
                            {"msg", message},
                            {"severity", name},
                            {"time", rfc3339(SystemClock::now())}}) +
             "\n";
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string entry_name(std::size_t index, const WrapperOptions& entry) {
  return fmt::format("entry {}: {}", index, join(entry.args, " "));
}

class Sidecar {
 public:
  Sidecar(const SidecarOptions& options, const JobSpec& spec) : options_(options), spec_(spec) {}

  int run() {
    sigset_t mask;
    ::sigemptyset(&mask);
    ::sigaddset(&mask, SIGINT);
    ::sigaddset(&mask, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &mask, nullptr);
    const Fd signals(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
    std::vector<std::string> paths;
    for (const WrapperOptions& entry : options_.entries) paths.push_back(entry.marker_file);
    const auto markers = wait_for_markers(paths, signals.get(), [&] {
      signalfd_siginfo info{};
      if (::read(signals.get(), &info, sizeof info) == sizeof info) interrupted(static_cast<int>(info.ssi_signo));
      return false;  // the markers may still come
    });
    const Verdict verdict = judge(markers);
    upload_all(verdict.passed, verdict.aborted);
    if (verdict.failures == 0 || !options_.entry_error) return 0;
    diary_.say(LogLevel::error, fmt::format("{} containers failed", verdict.failures));
    return 1;
  }

 private:
  void interrupted(int signal) {
    if (options_.ignore_interrupts) {
      diary_.say(LogLevel::warn, fmt::format("Received an interrupt: {}, ignoring...", ::strsignal(signal)));
      return;
    }
    diary_.say(LogLevel::error, fmt::format("Received an interrupt: {}, cancelling...", ::strsignal(signal)));
    // Markers that are there already were written before we looked: then the job's own end is what counts.
    if (std::ranges::all_of(options_.entries,
                            [](const auto& entry) { return read_marker(entry.marker_file).has_value(); }))
      return;
    if (!std::exchange(uploaded_early_, true)) upload_all(false, true);
  }

  Verdict judge(const Result<std::map<std::string, Result<int>>>& markers) {
    std::vector<std::optional<int>> codes;
    if (!markers) diary_.say(LogLevel::error, markers.error().text());
    for (const WrapperOptions& entry : options_.entries) {
      auto& code = codes.emplace_back();
      if (!markers) continue;
      const auto found = markers->find(entry.marker_file);
      if (found == markers->end()) continue;
      if (found->second)
        code = *found->second;
      else
        diary_.say(LogLevel::error, found->second.error().text());
    }
    return verdict_of(codes);
  }

  void upload_all(bool passed, bool aborted) {
    const auto done = try_upload(passed, aborted);
    if (!done) diary_.say(LogLevel::error, fmt::format("Failed to report job status: {}", done.error().text()));
  }

  Result<> try_upload(bool passed, bool aborted) {
    TRY_ASSIGN(auto staging, Staging::create(options_.censoring));
    if (!staging.censor_works())
      diary_.say(LogLevel::error, fmt::format("nothing but finished.json is uploaded: {}", staging.why_not()));
    Targets targets;
    for (const WrapperOptions& entry : options_.entries) {
      const std::string name =
          options_.entries.size() > 1 ? fmt::format("{}-build-log.txt", entry.container_name) : "build-log.txt";
      targets[name] = staging.take_log(entry.process_log);
    }
    UploadOptions upload_options = options_.upload;
    Targets artifacts = artifact_targets(upload_options, spec_);
    for (auto& [name, content] : artifacts)
      if (auto* file = std::get_if<fs::path>(&content)) content = staging.take_artifact(*file, options_.upload.items);
    std::erase_if(artifacts, [](const auto& target) {
      const auto* file = std::get_if<fs::path>(&target.second);
      return file != nullptr && file->empty();  // withheld
    });
    prow::layout::Finish finish{
        .passed = passed, .aborted = aborted, .when = SystemClock::now(), .revision = revision_of(spec_)};
    finish.metadata = combine_metadata(options_.entries, [&](const std::string& file) { return staging.read(file); });
    for (const std::string& withheld : staging.withheld()) {
      diary_.say(LogLevel::error, "withheld: " + withheld);
      finish.metadata["sidecar-withheld"].push_back(withheld);
    }
    targets["sidecar-logs.json"] = staging.censored(diary_.text());
    targets["finished.json"] = staging.censored(dump_json(prow::layout::finished(finish)));
    return upload(options_.upload, spec_, artifacts, targets);
  }

  const SidecarOptions& options_;
  const JobSpec& spec_;
  Diary diary_;
  bool uploaded_early_ = false;
};

}  // namespace

Verdict verdict_of(const std::vector<std::optional<int>>& codes) {
  Verdict verdict;
  for (const std::optional<int>& code : codes) {
    verdict.passed = verdict.passed && code == 0;
    verdict.aborted = verdict.aborted || code == kAbortedCode;
    if (code != 0 && code != kPreviousErrorCode) ++verdict.failures;
  }
  return verdict;
}

Json combine_metadata(const std::vector<WrapperOptions>& entries,
                      const std::function<Result<std::string>(const std::string&)>& read) {
  Json all = Json::object();
  Json ends = Json::object();
  Json errors = Json::object();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    std::error_code code;
    if (entries[i].metadata_file.empty() || !fs::exists(entries[i].metadata_file, code)) continue;
    const auto text = read(entries[i].metadata_file);
    auto piece = text ? parse_json(*text) : Result<Json>(std::unexpected(text.error()));
    if (piece && !piece->is_object()) piece = fail(ErrorKind::bad_data, "expected a JSON object");
    if (!piece) {
      errors[entry_name(i, entries[i])] = piece.error().text();
      continue;
    }
    if (const Json& end = json_get(*piece, "entrypoint"); !end.is_null()) ends[entries[i].container_name] = end;
    all.update(*piece);
  }
  // How each container ended must not be lost to the last one.
  if (entries.size() > 1 && !ends.empty()) all["entrypoint"] = std::move(ends);
  if (!errors.empty()) all["sidecar-errors"] = std::move(errors);
  return all;
}

int run_sidecar(const SidecarOptions& options, const JobSpec& spec) { return Sidecar(options, spec).run(); }

}  // namespace bowsprit::podutils
