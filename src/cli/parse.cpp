// SPDX-License-Identifier: Apache-2.0
/// `bowsprit parse`: the verdict of a console log, in each of the formats that a run writes.
#include <fmt/core.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "artifact/junit.h"
#include "artifact/kcidb.h"
#include "artifact/kunit_json.h"
#include "artifact/result_json.h"
#include "artifact/text.h"
#include "cli/commands.h"
#include "os/fd.h"
#include "os/files.h"
#include "verdict/judge.h"
#include "verdict/origin.h"

namespace bowsprit::cli {
namespace {

constexpr std::size_t kChunk = 256U << 10U;

Result<ktap::ConsoleReport> read_log(const std::string& name, ktap::EndOfInput how) {
  Fd file;
  if (name == "-") {
    file = Fd(::dup(STDIN_FILENO));
  } else {
    auto opened = Fd::open(name);
    if (!opened) return fail(ErrorKind::usage, "{}", opened.error().text());
    file = *std::move(opened);
  }
  ktap::Console console;
  std::vector<char> buffer(kChunk);
  while (true) {
    TRY_ASSIGN(const std::size_t count, file.read(buffer.data(), buffer.size()));
    if (count == 0) break;
    console.feed({buffer.data(), count});
  }
  return std::move(console).finish(how);
}

struct Ended {
  std::string_view word;
  ktap::EndOfInput input;
  KernelEnd kernel;
};
constexpr std::array kEnded{Ended{"exited", ktap::EndOfInput::exited, KernelEnd::exited},
                            Ended{"timed_out", ktap::EndOfInput::timed_out, KernelEnd::timed_out},
                            Ended{"killed", ktap::EndOfInput::killed, KernelEnd::killed}};

Result<RunResult> judged(const Arguments& arguments) {
  const std::string word = arguments.get("ended", "exited");
  const auto ended = std::ranges::find(kEnded, word, &Ended::word);
  if (ended == kEnded.end())
    return fail(ErrorKind::usage, "--ended: expected exited, timed_out or killed, got '{}'", word);
  JudgeInput input;
  input.end = ended->kernel;
  input.policy.warnings_fail = !arguments.has("allow-warnings");
  if (const auto list = arguments.get("manifest")) {
    TRY_ASSIGN(const std::string text, read_file(*list));
    input.manifest = parse_manifest(text);
  }
  const std::string name = arguments.positionals.empty() ? "-" : arguments.positionals[0];
  TRY_ASSIGN(input.console, read_log(name, ended->input));
  RunResult result = judge(std::move(input));
  if (const auto base = arguments.get("base")) {
    TRY_ASSIGN(const std::string text, read_file(*base));
    auto base_result = artifact::read_result_json(text);
    if (!base_result) return std::unexpected(std::move(base_result).error().with("--base {}", *base));
    settle_origins(result, {.base = &*base_result, .strict = arguments.has("strict")});
  }
  return result;
}

int run(const Arguments& arguments) {
  const std::string format = arguments.get("format", "text");
  constexpr std::array<std::string_view, 5> kFormats{"text", "json", "junit", "kcidb", "kunit"};
  if (std::ranges::find(kFormats, format) == kFormats.end())
    return report_error({ErrorKind::usage, Blame::configuration,
                         fmt::format("--format: expected text, json, junit, kcidb or kunit, got '{}'", format)});
  const auto result = judged(arguments);
  if (!result) return report_error(result.error());
  std::string out;
  if (format == "text")
    out = artifact::result_text(*result, {.colour = ::isatty(STDOUT_FILENO) == 1, .all_tests = arguments.has("all")});
  else if (format == "json")
    out = artifact::result_json(*result);
  else if (format == "junit")
    out = artifact::junit_xml(*result);
  else if (format == "kcidb")
    out = artifact::kcidb_json(*result);
  else
    out = artifact::kunit_json(*result);
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0)
    return report_error(fail_errno("write the result").error());
  return exit_code(result->verdict);
}

}  // namespace

Command parse_command() {
  return {
      .name = "parse",
      .operands = "[FILE|-]",
      .summary = "read KTAP or a whole console log, and judge it",
      .details =
          R"(Reads a kernel's console (standard input without FILE) and prints the verdict. The log may be a bare KTAP document or all that
the kernel printed: time stamps, colours and other messages in between do not matter, and panics, oopses, BUGs, WARNs and
sanitizer reports count. Exits 0 if it passed, 1 if not. It does not know which tests should have run; give it a --manifest, or
the result.json of the base.

  ./linux kunit.enable=1 > console.log; bowsprit parse console.log
  dmesg | bowsprit parse --format junit > junit_kunit.xml)",
      .options = {{"format", "FORMAT", "text (default), json, junit, kcidb, or kunit (as kunit.py --json)"},
                  {"all", "", "text: list good tests too"},
                  {"ended", "HOW", "how the kernel ended: exited (default), timed_out, killed"},
                  {"manifest", "FILE", "console of a boot with kunit.action=list: what must have run"},
                  {"base", "FILE", "result.json of the base: tells new failures from old ones"},
                  {"strict", "", "with --base: old failures count as well"},
                  {"allow-warnings", "", "a WARN() does not fail the run"}},
      .min_operands = 0,
      .max_operands = 1,
      .run = run};
}

}  // namespace bowsprit::cli
