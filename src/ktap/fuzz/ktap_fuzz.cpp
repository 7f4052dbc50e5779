// SPDX-License-Identifier: Apache-2.0
/// libFuzzer target of the console reader: any bytes, split at a place that the bytes choose, read twice and judged.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ktap/console.h"
#include "verdict/judge.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bowsprit;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = size > 0 ? data[0] % (size + 1) : 0;
  ktap::Limits limits;
  limits.tests = 500;
  limits.plan = 100;
  limits.log_bytes = 20'000;
  ktap::Console halves(limits);
  halves.feed(text.substr(0, cut));
  halves.feed(text.substr(cut));
  JudgeInput input;
  input.console = std::move(halves).finish(ktap::EndOfInput::timed_out);
  input.end = KernelEnd::timed_out;
  const ktap::ConsoleReport whole = ktap::read_console(text, ktap::EndOfInput::timed_out, limits);
  if (whole.document.suites.size() != input.console.document.suites.size()) std::abort();
  if (whole.splats.size() != input.console.splats.size()) std::abort();
  const RunResult result = judge(std::move(input));
  const TestCounts& t = result.tests;
  if (t.total != t.passed + t.failed + t.crashed + t.timed_out + t.skipped + t.missing) std::abort();
  // Ended for time: nothing may be called good.
  if (exit_code(result.verdict) == 0) std::abort();
  return 0;
}
