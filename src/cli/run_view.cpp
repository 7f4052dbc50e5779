// SPDX-License-Identifier: Apache-2.0
#include "cli/run_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/strings.h"
#include "kernel/build_log.h"
#include "verdict/origin.h"

namespace bowsprit::cli {
namespace {

constexpr std::string_view kBold = "1";
constexpr std::string_view kRed = "1;31";
constexpr std::string_view kGreen = "32";
constexpr std::string_view kYellow = "33";
constexpr std::string_view kGrey = "2";

std::string paint(std::string_view text, std::string_view code, bool colour) {
  return colour ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
}

void put(std::string_view text) {
  // One write(2) a line; a reader that went away is no reason to end a run.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

/// "ok", "FAILED", ... and its colour.
std::pair<std::string_view, std::string_view> status_word(ktap::TestStatus status) {
  switch (status) {
    case ktap::TestStatus::passed: return {"ok", kGreen};
    case ktap::TestStatus::expected_failure: return {"ok (expected failure)", kGreen};
    case ktap::TestStatus::skipped: return {"skipped", kYellow};
    case ktap::TestStatus::failed: return {"FAILED", kRed};
    case ktap::TestStatus::crashed: return {"CRASHED", kRed};
    case ktap::TestStatus::timed_out: return {"TIMED OUT", kRed};
    case ktap::TestStatus::missing: return {"MISSING", kRed};
  }
  return {"?", kRed};
}

std::string test_line(const std::string& name, const ktap::TestNode& test, bool colour) {
  const auto [word, code] = status_word(test.status);
  std::string place;
  if (!test.expectations.empty() && !ktap::is_good(test.status))
    place = fmt::format("  {}:{}", test.expectations[0].file, test.expectations[0].line);
  return fmt::format("  {} {}{}\n", paint(fmt::format("{:<9}", word), code, colour), printable(name), printable(place));
}

std::string phase_line(const Phase& phase, std::string_view note, bool colour) {
  return fmt::format("{} {:.1f} s{}\n", paint(fmt::format("{:<10}", phase.name), kBold, colour), phase.seconds,
                     note.empty() ? "" : fmt::format(", {}", note));
}

class PlainView final : public RunView {
 public:
  void on_phase(std::string_view name) override { put(fmt::format("--- {}\n", name)); }
  void on_phase_end(const Phase& phase, std::string_view note) override {
    put("--- " + phase_line(phase, note, false));
  }
  void on_build_output(std::string_view bytes) override { put(bytes); }
  void on_build_progress(const kernel::BuildProgress&) override {}
  void on_test(const std::string& name, const ktap::TestNode& test) override { put(test_line(name, test, false)); }
  void on_note(std::string_view text) override { put(fmt::format("note: {}\n", text)); }
  void finish() override {}
};

class TerminalView final : public RunView {
 public:
  explicit TerminalView(bool colour) : colour_(colour) {}

  void on_phase(std::string_view name) override {
    phase_ = name;
    started_ = std::chrono::steady_clock::now();
    show("");
  }
  void on_phase_end(const Phase& phase, std::string_view note) override {
    phase_.clear();
    put(erase() + phase_line(phase, note, colour_));
  }
  void on_build_output(std::string_view bytes) override {
    // Objects scroll by in the bar; here only what the compiler has to say.
    partial_ += bytes;
    std::string out;
    for (auto end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n')) {
      const std::string_view line = std::string_view(partial_).substr(0, end);
      const bool chatter = line.starts_with("  ") && line.size() > 2 && line[2] >= 'A' && line[2] <= 'Z';
      if (!chatter && !line.starts_with("make") && !line.starts_with("***") && !trim(line).empty())
        out += printable(line) + "\n";
      partial_.erase(0, end + 1);
    }
    if (partial_.size() > (1U << 16U)) partial_.clear();
    if (out.empty()) return;
    put(erase() + out);
    show(last_);
  }
  void on_build_progress(const kernel::BuildProgress& progress) override {
    std::string text;
    if (progress.known > 0) {
      constexpr int kWidth = 30;
      const int done = std::min(progress.done, progress.known);
      const int filled = kWidth * done / progress.known;
      text = fmt::format("[{}{}] {}/{}  ", std::string(static_cast<std::size_t>(filled), '#'),
                         std::string(static_cast<std::size_t>(kWidth - filled), '.'), done, progress.known);
    } else {
      text = fmt::format("{} objects  ", progress.done);
    }
    show(text + printable(progress.object));
  }
  void on_test(const std::string& name, const ktap::TestNode& test) override {
    put(erase() + test_line(name, test, colour_));
    show(last_);
  }
  void on_note(std::string_view text) override {
    put(erase() + paint("note: ", kYellow, colour_) + printable(text) + "\n");
    show(last_);
  }
  void finish() override { put(erase()); }

 private:
  static std::string erase() { return "\r\033[K"; }

  /// The line in progress, cut to the terminal's width so that "erase the line" erases all of it.
  void show(const std::string& text) {
    last_ = text;
    if (phase_.empty()) return;
    winsize size{};
    const std::size_t width = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80U;
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started_).count();
    auto line = fmt::format("{:<10} {} s  {}", phase_, seconds, text);
    put(erase() + shorten(line, width - 1));
  }

  bool colour_;
  std::string phase_;
  std::string last_;
  std::string partial_;
  SteadyTime started_;
};

/// "lib/x.c:12:5: ", as editors and terminals make links of it.
std::string place(const std::string& file, int line, int column) {
  if (file.empty()) return "";
  return file + (line > 0 ? fmt::format(":{}", line) : "") + (line > 0 && column > 0 ? fmt::format(":{}", column) : "");
}

std::string indented(std::string_view text, std::size_t limit_lines) {
  std::string out;
  std::size_t count = 0;
  for (const auto& line : split_lines(text)) {
    if (++count > limit_lines) {
      out += "    ...\n";
      break;
    }
    out += "    " + printable(line) + "\n";
  }
  return out;
}

}  // namespace

bool wants_colour(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(fd) != 0 && (no_colour == nullptr || *no_colour == 0) && term != nullptr &&
         std::string_view(term) != "dumb";
}

std::unique_ptr<RunView> make_run_view() {
  const char* term = std::getenv("TERM");
  if (::isatty(STDERR_FILENO) == 0 || term == nullptr || std::string_view(term) == "dumb")
    return std::make_unique<PlainView>();
  return std::make_unique<TerminalView>(wants_colour(STDERR_FILENO));
}

std::string describe_result(const RunResult& result, const fs::path& artifacts, bool colour) {
  constexpr std::size_t kMostListed = 20;
  std::string out = fmt::format(
      "\n{}: {}\n", paint(to_string(result.verdict), exit_code(result.verdict) == 0 ? kGreen : kRed, colour),
      printable(result.summary));
  for (const auto& variant : result.variants)
    out += fmt::format("  {}  {}: {}\n", variant.name,
                       paint(to_string(variant.verdict), exit_code(variant.verdict) == 0 ? kGreen : kRed, colour),
                       printable(variant.summary));
  std::size_t listed = 0;
  for (const auto& failure : result.failures) {
    if (++listed > kMostListed) {
      out += fmt::format("\n... and {} more, see result.json\n", result.failures.size() - kMostListed);
      break;
    }
    const auto [word, code] = status_word(failure.status);
    const auto where = place(failure.file, failure.line, 0);
    out += fmt::format("\n{} {}{}{}{}\n", paint(word, code, colour), printable(failure.test),
                       failure.variants.empty() ? "" : "  on " + join(failure.variants, ", "),
                       where.empty() ? "" : "  " + printable(where),
                       words_of(failure.origin).empty() ? "" : fmt::format("  ({})", words_of(failure.origin)));
    out += indented(failure.message, 12);
  }
  listed = 0;
  for (const auto& diagnostic : result.diagnostics) {
    if (++listed > kMostListed) {
      out += fmt::format("... and {} more, see result.json\n", result.diagnostics.size() - kMostListed);
      break;
    }
    if (listed == 1) out += "\n";
    const auto where = place(diagnostic.file, diagnostic.line, diagnostic.column);
    out += fmt::format(
        "{}{}: {}\n", where.empty() ? "" : printable(where) + ": ",
        paint(to_string(diagnostic.kind), diagnostic.kind == Diagnostic::Kind::warning ? kYellow : kRed, colour),
        printable(diagnostic.message));
  }
  out += "\n";
  if (!result.reproduce.empty() && exit_code(result.verdict) != 0)
    out += fmt::format("{} {}\n", paint("reproduce:", kGrey, colour), result.reproduce);
  out += fmt::format("{} {}\n", paint("artifacts:", kGrey, colour), artifacts.string());
  return out;
}

}  // namespace bowsprit::cli
